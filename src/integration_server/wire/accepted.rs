//! Finds the task in a 202 answer: the vendor's documents promise its identifier but do not say
//! where.

use uuid::Uuid;

use super::document::{Document, Element};
use super::{ResponseBody, Result, decode};
use crate::ids::hyphenated_uuid;
use crate::integration_server::model::RemoteId;

const UUID_LENGTH: usize = 36;

/// How much of a body that is no XML is searched, in bytes.
const SEARCHED: usize = 64 * 1024;

/// The first of: a `task` with an `id`; a `taskId` that is a UUID; the only UUID of the body; the
/// last segment of `Location`.
pub(super) fn task_id(answer: &ResponseBody, location: Option<&str>) -> Option<RemoteId> {
    in_xml(answer)
        .or_else(|| only_uuid(&decode::searchable(answer, SEARCHED)))
        .or_else(|| in_location(location?))
}

#[derive(Default)]
struct Seen {
    task: Option<RemoteId>,
    task_id: Option<RemoteId>,
}

fn in_xml(answer: &ResponseBody) -> Option<RemoteId> {
    let text = decode::text(answer).ok()?;
    let mut seen = Seen::default();
    Document::read(&text, |document, root| look(document, root, &mut seen)).ok()?;
    seen.task.or(seen.task_id)
}

fn look(document: &mut Document, element: &Element, seen: &mut Seen) -> Result<()> {
    if element.name == "task" && seen.task.is_none() {
        seen.task = element.value("id").and_then(RemoteId::read);
    }
    let text = document.text_and(element, |document, child| look(document, child, seen))?;
    let text = text.trim();
    if element.name.eq_ignore_ascii_case("taskId") && hyphenated_uuid(text).is_some() {
        seen.task_id = RemoteId::read(text);
    }
    Ok(())
}

/// The only UUID in a text; it may occur several times.
fn only_uuid(text: &str) -> Option<RemoteId> {
    let is_part = |c: char| c.is_alphanumeric() || c == '-';
    let words = text.split(|c: char| !is_part(c)).filter(|word| word.len() == UUID_LENGTH);
    let mut found: Option<(Uuid, &str)> = None;
    for (uuid, word) in words.filter_map(|word| Some((hyphenated_uuid(word)?, word))) {
        if found.is_some_and(|(first, _)| first != uuid) {
            return None;
        }
        found = Some((uuid, word));
    }
    RemoteId::read(found?.1)
}

fn in_location(location: &str) -> Option<RemoteId> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    RemoteId::read(path.trim().trim_end_matches('/').rsplit('/').next()?)
}
