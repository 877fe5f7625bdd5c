//! One of the vendor's own words.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A word of one of the vendor's enumerations, whether this version knows it or not. The usual ones take no memory of their
/// own, since a list has thousands of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(Cow<'static, str>);

const USUAL: &[&str] =
    &["off", "on", "prevent", "detect", "real-time", "active", "inactive", "warning", "error", "en-US"];

impl Word {
    /// The word as the vendor writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = Word;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }

            fn visit_str<E>(self, text: &str) -> Result<Word, E> {
                let usual = USUAL.iter().find(|usual| **usual == text);
                Ok(Word(usual.map_or_else(|| Cow::Owned(text.to_owned()), |usual| Cow::Borrowed(*usual))))
            }
        }

        deserializer.deserialize_str(Words)
    }
}
