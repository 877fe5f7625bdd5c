//! Values of the vendor's enumerations.

use std::borrow::Cow;

/// A value of one of the vendor's enumerations, known to this version or not. The common values are
/// static, because a list contains thousands of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumText(Cow<'static, str>);

const COMMON: &[&str] = &[
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

impl EnumText {
    /// The value with that spelling.
    pub fn new(text: &str) -> Self {
        let common = COMMON.iter().find(|common| **common == text);
        Self(common.map_or_else(|| Cow::Owned(text.to_owned()), |common| Cow::Borrowed(*common)))
    }

    /// The value in the vendor's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
