//! Ids of the vendor's objects.

use crate::error::{Error, Result};

/// The id of an object: digits, up to `int64` (`reference/deep-security-api.md`, section 2). Nothing else ever becomes part of
/// a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId(pub i64);

impl ObjectId {
    /// The id of an object that is asked for.
    ///
    /// # Errors
    /// `NOT_FOUND`, since nothing has an id of another form.
    pub fn parse(what: &'static str, text: &str) -> Result<Self> {
        digits(text).map(Self).ok_or_else(|| Error::not_found(what))
    }
}

/// An id that an object refers to.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn reference(argument: &str, text: &str) -> Result<i64> {
    digits(text).ok_or_else(|| Error::bad_input(argument, "must be an id, which is a number"))
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digits_become_part_of_a_path() {
        assert_eq!(ObjectId::parse("computer", "9223372036854775807").unwrap().0, i64::MAX);
        for text in ["", "-1", "+1", "1/2", "..", "1\r\n", "1\0", "９", "9223372036854775808", " 1", "1?x"] {
            assert!(ObjectId::parse("computer", text).is_err(), "{text:?}");
            assert!(reference("roleID", text).is_err(), "{text:?}");
        }
    }
}
