//! The example documents of the reference, and documents of hostile or broken servers.

mod accepted;
mod bodies;
mod documents;
mod hostile;
mod reports;
mod tasks;

use jiff::tz::TimeZone;

use super::ResponseBody;

const TASK_ID: &str = "78fce85d-2c37-4118-93d4-f844f23be6fd";

static UTC: TimeZone = TimeZone::UTC;

fn answer(body: &[u8]) -> ResponseBody<'_> {
    ResponseBody { body, content_type: None, zone: &UTC }
}

fn xml(body: &str) -> ResponseBody<'_> {
    answer(body.as_bytes())
}
