//! Identifiers that the server gives: opaque, and safe to build a path of.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::error::{Error, Result};
use crate::ids::hyphenated_uuid;

const LENGTH_MAX: usize = 200;

/// An identifier of a tenant, machine, task or report on the server: 1 to 200 characters without
/// `/`, `?`, `#`, `..` and control characters. Two are equal if they are the same text, or the same
/// UUID in any letter case.
#[derive(Clone, Debug)]
pub struct RemoteId(String);

impl RemoteId {
    /// Takes an identifier from a caller.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        Self::read(text).ok_or_else(|| {
            Error::bad_input(
                argument,
                "must be an identifier of 1 to 200 characters without /, ?, # and control \
                 characters",
            )
        })
    }

    /// Parses an identifier of the server; `None` if it could not be part of a path.
    pub fn read(text: &str) -> Option<Self> {
        Self::is_valid(text).then(|| Self(text.to_owned()))
    }

    /// Whether a text is an identifier.
    pub fn is_valid(text: &str) -> bool {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'_');
        // Most are UUIDs or numbers, in which nothing forbidden needs to be looked for.
        // A fold has no branches, so that the compiler takes several bytes at once.
        let is_word = !text.is_empty()
            && text.len() <= LENGTH_MAX
            && text.bytes().fold(true, |all, byte| all & is_plain(byte));
        is_word
            || !text.is_empty()
                && text.chars().count() <= LENGTH_MAX
                // A lone dot as a path segment means the folder itself.
                && text != "."
                && !text.contains("..")
                && !text.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '?' | '#'))
    }

    /// The identifier as it was written, which is how it is sent back.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical text that all equal identifiers share, which is stored and looked up.
    pub fn canonical(&self) -> String {
        let mut text = self.0.clone();
        Self::make_canonical(&mut text);
        text
    }

    /// Makes the text of an identifier its canonical text.
    pub fn make_canonical(text: &mut str) {
        let has_capitals = text.bytes().any(|byte| byte.is_ascii_uppercase());
        if has_capitals && hyphenated_uuid(text).is_some() {
            text.make_ascii_lowercase();
        }
    }
}

impl PartialEq for RemoteId {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
            || hyphenated_uuid(&self.0).is_some_and(|uuid| hyphenated_uuid(&other.0) == Some(uuid))
    }
}

impl Eq for RemoteId {}

impl Hash for RemoteId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match hyphenated_uuid(&self.0) {
            Some(uuid) => uuid.hash(state),
            None => self.0.hash(state),
        }
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn remote_id_rejects_characters_that_leave_its_path_segment() {
        for bad in [
            "",
            ".",
            "..",
            "a/../b",
            "a/b",
            r"a\b",
            "a?b",
            "a#b",
            "a\0b",
            "a\nb",
            "a..b",
            &"x".repeat(201),
        ] {
            assert!(RemoteId::read(bad).is_none(), "{bad:?}");
        }
        for good in [
            "1",
            "tenant one",
            "a%2Fb",
            "东京",
            "78fce85d-2c37-4118-93d4-f844f23be6fd",
            &"x".repeat(200),
        ] {
            assert_eq!(RemoteId::read(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn remote_ids_ignore_case_only_in_uuids() {
        let id = |text| RemoteId::read(text).unwrap();
        let lower = "345ae5d6-eeb7-4635-884a-01ac1781deeb";
        let upper = "345AE5D6-EEB7-4635-884A-01AC1781DEEB";
        assert_eq!(id(lower), id(upper));
        assert_eq!(HashSet::from([id(lower), id(upper)]).len(), 1);
        assert_eq!(id(upper).canonical(), lower);
        assert_eq!(id(upper).as_str(), upper);
        assert_ne!(id("t"), id("T"));
    }
}
