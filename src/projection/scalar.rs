//! Conversions of single JSON values, from the text of an upstream to the text of a response.

use std::borrow::Cow;

use super::json::{JsonReader, Problem};
use super::plan::Conversion;
use crate::clock::Timestamp;
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::hyphenated_uuid;

/// The most characters of a word of an enumeration.
const WORD_MAX: usize = 100;

/// The outcome of writing a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// Its text was written.
    Value,
    /// The value is null, and nothing was written.
    Null,
    /// The value has an unexpected JSON type, and nothing was written.
    Mismatch,
}

/// Why an object cannot be written.
#[derive(Debug)]
pub(super) enum Unfit {
    /// A text that looked like JSON is not: an escape stands for no character, or a member stands
    /// twice.
    Malformed,
    /// The text would exceed its largest size.
    TooLarge,
}

/// Where the ids of a body are unique.
pub(super) type Place = uuid::Uuid;

/// Writes a value that is neither an object nor a link. `raw` is JSON without space around it.
pub(super) fn write_scalar(
    conversion: &Conversion,
    raw: &str,
    place: Place,
    to: &mut Vec<u8>,
) -> Result<Written, Unfit> {
    if raw == "null" {
        return Ok(Written::Null);
    }
    Ok(match conversion {
        Conversion::Boolean => match raw {
            "true" | "false" => value(to, raw),
            _ => Written::Mismatch,
        },
        Conversion::Text | Conversion::RequiredText => return write_text(raw, to),
        Conversion::Uuid | Conversion::EnumText(_) => match text(raw)? {
            Some(text) => write_word(conversion, &text, to),
            None => Written::Mismatch,
        },
        Conversion::Enum(words) => match text(raw)? {
            Some(word) => quoted(to, words.value(&word)),
            None => Written::Mismatch,
        },
        Conversion::List(item) => return write_list(item, raw, place, to),
        Conversion::Json(max) => return write_json(*max, raw, to),
        number => match integer(raw) {
            Some(integer) => write_integer(number, integer, raw, place, to),
            None => Written::Mismatch,
        },
    })
}

/// Writes a UUID or the word of an enumeration.
pub(super) fn write_word(conversion: &Conversion, text: &str, to: &mut Vec<u8>) -> Written {
    let written = match conversion {
        Conversion::Uuid => hyphenated_uuid(text).map(|_| {
            let start = to.len();
            let written = quoted(to, text);
            to[start..].make_ascii_lowercase();
            written
        }),
        Conversion::Enum(words) => word(text).map(|word| {
            let known = words.entry_of(word);
            quoted(to, known.map_or(words.unknown.as_str(), |(_, value)| value))
        }),
        Conversion::EnumText(words) => word(text).map(|word| {
            let known = words.entry_of(word);
            string(to, known.map_or(word, |(known, _)| known))
        }),
        _ => None,
    };
    written.unwrap_or(Written::Null)
}

/// A word of an enumeration, without the space around it and cut to 100 characters, since unknown
/// words are shown; `None` if it is empty.
pub fn word(text: &str) -> Option<&str> {
    let text = text.trim();
    let end = text.char_indices().nth(WORD_MAX).map_or(text.len(), |(end, _)| end);
    (end > 0).then(|| &text[..end])
}

pub(super) fn write_integer(
    conversion: &Conversion,
    integer: i64,
    raw: &str,
    place: Place,
    to: &mut Vec<u8>,
) -> Written {
    match conversion {
        Conversion::GlobalId(node) => global_id(to, *node, place, raw),
        Conversion::Reference if integer == 0 => Written::Null,
        Conversion::Id | Conversion::Reference => quoted(to, raw),
        Conversion::SmallInteger if i32::try_from(integer).is_err() => Written::Null,
        Conversion::Integer | Conversion::SmallInteger => value(to, raw),
        Conversion::Date => write_date(Timestamp::checked_from_millis(integer), to),
        _ => Written::Mismatch,
    }
}

pub(super) fn write_date(moment: Option<Timestamp>, to: &mut Vec<u8>) -> Written {
    let Some(moment) = moment else { return Written::Null };
    to.push(b'"');
    moment.write_to(to);
    to.push(b'"');
    Written::Value
}

/// The integer that a JSON value is, in the one spelling that JSON has for it.
pub(super) fn integer(raw: &str) -> Option<i64> {
    // JSON permits no plus sign and no leading zeros; `-0` is a number with a fraction.
    raw.parse().ok().filter(|_| raw != "-0")
}

/// The text that a JSON string stands for; `None` for another JSON type.
pub(super) fn text(raw: &str) -> Result<Option<Cow<'_, str>>, Unfit> {
    let Some(inner) = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Ok(None);
    };
    if inner.as_bytes().contains(&b'\\') {
        serde_json::from_str::<String>(raw)
            .map(|text| Some(Cow::Owned(text)))
            .map_err(|_| Unfit::Malformed)
    } else {
        Ok(Some(Cow::Borrowed(inner)))
    }
}

fn write_text(raw: &str, to: &mut Vec<u8>) -> Result<Written, Unfit> {
    Ok(match text(raw)? {
        // Without an escape the text is already as the response writes it.
        Some(Cow::Borrowed(_)) => value(to, raw),
        Some(Cow::Owned(text)) => {
            serde_json::to_writer(to, &text).map_err(|_| Unfit::Malformed)?;
            Written::Value
        }
        None => Written::Mismatch,
    })
}

fn write_list(
    item: &Conversion,
    raw: &str,
    place: Place,
    to: &mut Vec<u8>,
) -> Result<Written, Unfit> {
    if !raw.starts_with('[') {
        return Ok(Written::Mismatch);
    }
    let start = to.len();
    let mut is_complete = true;
    to.push(b'[');
    let read = JsonReader::new(raw).array(|json| {
        if to.len() > start + 1 {
            to.push(b',');
        }
        let written = write_scalar(item, json.value()?, place, to);
        is_complete &= written.map_err(|_| Problem::Mistyped)? == Written::Value;
        Ok(())
    });
    read.map_err(|_| Unfit::Malformed)?;
    to.push(b']');
    if is_complete {
        Ok(Written::Value)
    } else {
        to.truncate(start);
        Ok(Written::Mismatch)
    }
}

fn write_json(max: usize, raw: &str, to: &mut Vec<u8>) -> Result<Written, Unfit> {
    if raw.len() > max {
        return Err(Unfit::Malformed);
    }
    let tree: serde_json::Value = serde_json::from_str(raw).map_err(|_| Unfit::Malformed)?;
    serde_json::to_writer(to, &tree).map_err(|_| Unfit::Malformed)?;
    Ok(Written::Value)
}

pub(super) fn value(to: &mut Vec<u8>, text: &str) -> Written {
    to.extend_from_slice(text.as_bytes());
    Written::Value
}

/// Writes a text as a JSON string.
pub(super) fn string(to: &mut Vec<u8>, text: &str) -> Written {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(to, text);
    Written::Value
}

/// Writes a global id.
pub(super) fn global_id(to: &mut Vec<u8>, node: NodeKind, place: Place, remote: &str) -> Written {
    to.push(b'"');
    GlobalId::write_to(node, place, remote, to);
    to.push(b'"');
    Written::Value
}

/// Writes a text that needs no escapes.
pub(super) fn quoted(to: &mut Vec<u8>, text: &str) -> Written {
    to.push(b'"');
    to.extend_from_slice(text.as_bytes());
    to.push(b'"');
    Written::Value
}
