//! Pages of lists: how many, and from where.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// How many entries a page has if the caller does not say.
pub const PAGE_SIZE: u64 = 50;

/// How many entries a page has at most; a larger wish is cut to it.
pub const PAGE_SIZE_MAX: u64 = 100;

/// The size of a page: what was asked for, between 1 and [`PAGE_SIZE_MAX`]; [`PAGE_SIZE`] if
/// nothing was.
pub fn page_size(asked: Option<i32>) -> u64 {
    page_size_up_to(asked, PAGE_SIZE_MAX)
}

/// The same for a list whose pages may be larger, or must be smaller.
pub fn page_size_up_to(asked: Option<i32>, max: u64) -> u64 {
    asked.map_or(PAGE_SIZE, |asked| u64::try_from(asked).unwrap_or(0).clamp(1, max))
}

const NUL: &[u8] = br"\u0000";

/// Writes a place in a list as an opaque cursor.
pub fn cursor(place: &impl Serialize) -> String {
    // A place is a tuple of numbers and text, which always can be written.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Reads a cursor again.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument` if it is none of ours.
pub fn read_cursor<T: DeserializeOwned>(argument: &str, cursor: &str) -> Result<T> {
    let refused = || Error::bad_input(argument, "is not a cursor that this list gave");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    // PostgreSQL takes no NUL in a text, and JSON has one way to write it.
    if bytes.windows(NUL.len()).any(|window| window == NUL) {
        return Err(refused());
    }
    serde_json::from_slice(&bytes).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        assert_eq!(
            read_cursor::<(i64, String)>("after", &cursor(&(7, "é"))).unwrap(),
            (7, "é".to_owned())
        );
        assert!(read_cursor::<(i64, String)>("after", "rubbish").is_err());
        assert!(read_cursor::<(i64, String)>("after", &cursor(&(7, "\0"))).is_err());
    }

    #[test]
    fn a_page_is_never_empty_nor_endless() {
        assert_eq!(page_size(None), 50);
        assert_eq!(page_size(Some(-3)), 1);
        assert_eq!(page_size(Some(0)), 1);
        assert_eq!(page_size(Some(i32::MAX)), 100);
    }
}
