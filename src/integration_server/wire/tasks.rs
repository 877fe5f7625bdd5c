//! Tasks and their outcomes.

use jiff::tz::TimeZone;

use super::dates::moment;
use super::document::{Document, Element};
use super::read::{cut, identifier, list_in, single, tenant, trimmed, word};
use super::{Malformed, Result, vendor_codes};
use crate::integration_server::model::{
    RemoteId, RemoteTenant, Task, TaskError, TaskKind, TaskOutcome, TaskState,
};

/// The most characters of a free text that is kept.
const WORDS_MAX: usize = 500;

/// A `task` (reference, K1).
pub(super) fn task(document: &mut Document, element: &Element, zone: &TimeZone) -> Result<Task> {
    let id = identifier(element.value("id"))?;
    let date = |name| element.value(name).map(|text| moment(text, zone));
    let created = date("created");
    let state_changed = date("stateChanged");
    let changed = date("changed");
    let mut state = None;
    let mut kind = None;
    let mut stage = None;
    let mut progress = None;
    let mut result = None;
    let mut error = None;
    while let Some(child) = document.child(element)? {
        match child.name {
            "state" => state = word(&document.text(&child)?).map(|text| TaskState::read(&text)),
            "type" => kind = word(&document.text(&child)?).map(|text| TaskKind::read(&text)),
            "stage" => stage = trimmed(&document.text(&child)?).map(|text| cut(text, WORDS_MAX)),
            "progress" => progress = percent(document.text(&child)?.trim()),
            "result" => result = outcome(document, &child, zone)?,
            "error" => error = failure(document, &child)?,
            _ => {}
        }
    }
    let outcome = error.map(TaskOutcome::Error).or(result);
    let state = state.ok_or(Malformed("holds a task without a state"))?;
    Ok(Task { id, kind, state, stage, progress, created, state_changed, changed, outcome })
}

/// The `error` of a task; an empty one is none.
fn failure(document: &mut Document, element: &Element) -> Result<Option<TaskError>> {
    let words = document.words(element)?;
    let message = words.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((!message.is_empty()).then(|| TaskError {
        code: vendor_codes::code_in(&message),
        message: cut(message, WORDS_MAX),
    }))
}

/// The `result` of a task; an empty one is none.
fn outcome(
    document: &mut Document,
    element: &Element,
    zone: &TimeZone,
) -> Result<Option<TaskOutcome>> {
    let mut made = None;
    let text = result_parts(document, element, zone, &mut made)?;
    Ok(made.or_else(|| trimmed(&text).map(|text| from_text(&text, zone))))
}

/// The text of a result at any depth; a tenant in it goes to `made`.
fn result_parts(
    document: &mut Document,
    element: &Element,
    zone: &TimeZone,
    made: &mut Option<TaskOutcome>,
) -> Result<String> {
    let mut deeper = String::new();
    let text = document.text_and(element, |document, child| {
        if child.name == "tenant" {
            *made = Some(tenant_outcome(tenant(document, child, zone)));
        } else {
            deeper.push_str(&result_parts(document, child, zone, made)?);
        }
        Ok(())
    })?;
    Ok(if text.trim().is_empty() { deeper } else { text.into_owned() })
}

fn tenant_outcome(tenant: Result<RemoteTenant>) -> TaskOutcome {
    tenant.map_or(TaskOutcome::Unreadable, |tenant| TaskOutcome::Tenant(Box::new(tenant)))
}

fn from_text(text: &str, zone: &TimeZone) -> TaskOutcome {
    if text.eq_ignore_ascii_case("true") {
        TaskOutcome::Confirmed
    } else if text.starts_with('<') {
        tenant_outcome(list_in(text, "tenant", zone, tenant).and_then(single))
    } else {
        RemoteId::read(text).map_or(TaskOutcome::Unreadable, TaskOutcome::Id)
    }
}

/// The leading number, held between 0 and 100 and rounded down.
fn percent(text: &str) -> Option<u8> {
    let (below_zero, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let whole = &digits[..end];
    match (whole, below_zero) {
        ("", _) => None,
        (_, true) => Some(0),
        // A number that does not fit is more than 100.
        (_, false) => Some(whole.parse::<u8>().map_or(100, |percent| percent.min(100))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_number_up_to_100_or_unknown() {
        for (text, percent_of_it) in [
            ("0", Some(0)),
            ("41.5", Some(41)),
            ("37%", Some(37)),
            ("99,9 %", Some(99)),
            ("100.0", Some(100)),
            ("250", Some(100)),
            ("99999999999999999999", Some(100)),
            ("-3", Some(0)),
            ("+7", Some(7)),
            ("", None),
            ("half", None),
            ("%", None),
            ("NaN", None),
        ] {
            assert_eq!(percent(text), percent_of_it, "{text}");
        }
    }
}
