//! Pages of lists: their sizes and cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The default number of entries of a page.
pub const PAGE_SIZE: u64 = 50;

/// The largest number of entries of a page; larger requests are cut to it.
pub const PAGE_SIZE_MAX: u64 = 100;

/// The size of a page: the one requested, limited to 1 to [`PAGE_SIZE_MAX`]; else [`PAGE_SIZE`].
pub fn page_size(asked: Option<i32>) -> u64 {
    page_size_up_to(asked, PAGE_SIZE_MAX)
}

/// The same with another largest page.
pub fn page_size_up_to(asked: Option<i32>, max: u64) -> u64 {
    asked.map_or(PAGE_SIZE, |asked| u64::try_from(asked).unwrap_or(0).clamp(1, max))
}

const NUL: &[u8] = br"\u0000";

/// Encodes a position in a list as an opaque cursor.
pub fn cursor(place: &impl Serialize) -> String {
    // A position is a tuple of numbers and text, which can always be serialized.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Decodes a cursor.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument` if [`cursor`] did not encode it.
pub fn read_cursor<T: DeserializeOwned>(argument: &str, cursor: &str) -> Result<T> {
    let refused = || Error::bad_input(argument, "is not a cursor that this list gave");
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    // PostgreSQL accepts no NUL in text, and JSON has one way to write it.
    if bytes.windows(NUL.len()).any(|window| window == NUL) {
        return Err(refused());
    }
    serde_json::from_slice(&bytes).map_err(|_| refused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_round_trips_and_malformed_ones_are_refused() {
        assert_eq!(
            read_cursor::<(i64, String)>("after", &cursor(&(7, "é"))).unwrap(),
            (7, "é".to_owned())
        );
        assert!(read_cursor::<(i64, String)>("after", "rubbish").is_err());
        assert!(read_cursor::<(i64, String)>("after", &cursor(&(7, "\0"))).is_err());
    }

    #[test]
    fn page_size_is_limited_at_both_ends() {
        assert_eq!(page_size(None), 50);
        assert_eq!(page_size(Some(-3)), 1);
        assert_eq!(page_size(Some(0)), 1);
        assert_eq!(page_size(Some(i32::MAX)), 100);
    }
}
