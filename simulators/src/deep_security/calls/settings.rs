//! Single settings of a computer, a policy or the tenant's defaults (reference, section 7).

use serde_json::Value;

use super::{Context, one};
use crate::deep_security::object::Object;
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::settings;
use crate::deep_security::view::query_flag;

/// Reads, sets or resets one setting of `object`, which inherits unset settings from `above`.
pub(super) fn handle(
    context: &Context,
    method: &str,
    object: &mut Object,
    above: &Object,
    name: &str,
) -> Outcome {
    settings::check(name)?;
    let overrides = query_flag(context.request, "overrides", false, &context.manager.dialect)?;
    match method {
        "GET" => {}
        "POST" => settings::write_one(object, name, context.body()?.get("value"))?,
        "DELETE" => settings::reset(object, name),
        _ => return Err(Refusal::not_found()),
    }
    let inherited = || setting(above, name).filter(|_| !overrides);
    one(&setting(object, name).or_else(inherited).cloned().unwrap_or_default())
}

fn setting<'a>(object: &'a Object, name: &str) -> Option<&'a Object> {
    object.get(settings::OWN)?.get(name).and_then(Value::as_object)
}
