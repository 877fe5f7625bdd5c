//! One of the vendor's own words.

use std::borrow::Cow;

/// A word of one of the vendor's enumerations, whether this version knows it or not. The usual ones
/// take no memory of their own, since a list has thousands of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word(Cow<'static, str>);

const USUAL: &[&str] = &[
    "off",
    "on",
    "prevent",
    "detect",
    "real-time",
    "active",
    "inactive",
    "warning",
    "error",
    "en-US",
];

impl Word {
    /// The word of that text.
    pub fn read(text: &str) -> Self {
        let usual = USUAL.iter().find(|usual| **usual == text);
        Self(usual.map_or_else(|| Cow::Owned(text.to_owned()), |usual| Cow::Borrowed(*usual)))
    }

    /// The word as the vendor writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
