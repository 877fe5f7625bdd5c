//! Text that XML can carry.

use crate::error::{Error, Result};
use crate::names::Name;

/// Text of a caller in which every character is one that XML 1.0 allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireText(String);

impl WireText {
    /// The most characters of a free text.
    pub const LENGTH_MAX: usize = 32_000;

    /// Takes free text of up to 32,000 characters; line breaks and tabs may be in it, and space
    /// around it stays.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        if text.chars().count() > Self::LENGTH_MAX {
            return Err(Error::bad_input(argument, "must have at most 32000 characters"));
        }
        Self::legal(argument, text)
    }

    /// Takes a name: 1 to 255 characters without space around it and without control characters.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`.
    pub fn name(argument: &str, text: &str) -> Result<Self> {
        Self::legal(argument, Name::parse(argument, text)?.as_str())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn legal(argument: &str, text: &str) -> Result<Self> {
        if is_legal_text(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::bad_input(
                argument,
                "must not have control characters other than tabs and line breaks",
            ))
        }
    }
}

/// Whether XML 1.0 allows every character of a text.
pub fn is_legal_text(text: &str) -> bool {
    // Most text is ASCII, of which the bytes decide without being decoded. A fold has no branches, so
    // that the compiler takes several bytes at once.
    let is_plain = |byte: u8| matches!(byte, b' '..=b'\x7f' | b'\t' | b'\n' | b'\r');
    text.bytes().fold(true, |all, byte| all & is_plain(byte)) || text.chars().all(is_legal)
}

/// Whether XML 1.0 allows the character, as itself or as a reference.
pub fn is_legal(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_text_rejects_characters_that_xml_forbids() {
        for bad in ["a\0b", "\u{1}", "\u{1b}[31m", "\u{FFFE}", "\u{FFFF}", &"é".repeat(32_001)] {
            assert!(WireText::parse("userData", bad).is_err(), "{bad:?}");
        }
        for good in ["", " a\tb\r\nc ", "<![CDATA[x]]>", "\u{10FFFF}", &"é".repeat(32_000)] {
            assert_eq!(WireText::parse("userData", good).unwrap().as_str(), good);
        }
        assert!(WireText::name("name", "a\nb").is_err());
        assert!(WireText::name("name", "a\u{FFFF}b").is_err());
    }
}
