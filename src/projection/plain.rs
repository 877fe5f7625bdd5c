//! Conversions of plain text to the text of a response.

use super::plan::Conversion;
use super::scalar::{
    Place, Written, global_id, integer, string, value, write_date, write_integer, write_word,
};
use crate::clock::Timestamp;

/// Reads a date as the system writes it.
pub(super) type ReadDate<'a> = &'a dyn Fn(&str) -> Option<Timestamp>;

/// Writes the value of a plain text. Empty text is null.
pub(super) fn write_plain(
    conversion: &Conversion,
    text: &str,
    place: Place,
    date: ReadDate<'_>,
    to: &mut Vec<u8>,
) -> Written {
    if text.is_empty() {
        return Written::Null;
    }
    match conversion {
        Conversion::GlobalId(node) => global_id(to, *node, place, text),
        Conversion::Id | Conversion::Text | Conversion::RequiredText => string(to, text),
        Conversion::Date => write_date(date(text), to),
        Conversion::Uuid | Conversion::Enum(_) | Conversion::EnumText(_) => {
            write_word(conversion, text, to)
        }
        Conversion::Boolean => match text.trim() {
            boolean @ ("true" | "false") => value(to, boolean),
            _ => Written::Mismatch,
        },
        Conversion::Reference | Conversion::Integer | Conversion::SmallInteger => {
            let text = text.trim();
            match integer(text) {
                Some(integer) => write_integer(conversion, integer, text, place, to),
                None => Written::Mismatch,
            }
        }
        Conversion::List(_)
        | Conversion::Object(..)
        | Conversion::Link(_)
        | Conversion::Json(_) => Written::Mismatch,
    }
}
