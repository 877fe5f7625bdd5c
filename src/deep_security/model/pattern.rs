//! What a caller searches names for.

use crate::deep_security::wire::Criterion;
use crate::error::{Error, Result};
use crate::names::{compose, fold};

const LENGTH_MAX: usize = 255;

/// A pattern of a name: `%` stands for any text, everything else for itself, letter case ignored.
///
/// The vendor knows two wildcards and no way to escape one: `_` stands for any character
/// (`docs/reference/deep-security-api.md`, section 5). So with `%` more may come back than was
/// asked for, and what comes back is compared again; without `%` the wildcards are switched off.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    folded: Vec<String>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for more than 255 characters, and for control characters.
    pub fn parse(text: &str) -> Result<Self> {
        if text.chars().count() > LENGTH_MAX || text.chars().any(char::is_control) {
            return Err(Error::bad_input(
                "name",
                "must have at most 255 characters, none of them a control character",
            ));
        }
        Ok(Self { text: compose(text), folded: text.split('%').map(fold).collect() })
    }

    /// What the manager is asked. It compares by rules of its own, so the text goes there composed,
    /// as names are kept: what fits only once it is folded is found if the manager thinks so too.
    pub fn criterion(&self, field: &'static str) -> Criterion {
        Criterion {
            field_name: Some(field.to_owned()),
            string_test: Some("equal"),
            string_value: Some(self.text.clone()),
            string_wildcards: Some(self.has_wildcard()),
            ..Criterion::default()
        }
    }

    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        let name = fold(name);
        let (first, rest) =
            self.folded.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        let Some((last, middle)) = rest.split_last() else { return name == first };
        let Some(mut left) = name.strip_prefix(first) else { return false };
        for piece in middle {
            match left.find(piece.as_str()) {
                Some(at) => left = &left[at + piece.len()..],
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }

    fn has_wildcard(&self) -> bool {
        self.folded.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().fits(name)
    }

    #[test]
    fn only_the_percent_sign_is_special() {
        assert!(fits("web_1%", "WEB_1.example") && !fits("web_1%", "web-1.example"));
        assert!(fits("%b%d%", "abcd") && fits("%", "") && fits("a%a", "aa") && !fits("a%a", "a"));
        assert!(fits("web*", "web*") && !fits("web*", "web1"));
        assert!(fits("ab%bc", "abbc") && !fits("ab%bc", "abc"));
        assert!(fits("STRASSE%", "straße 1"));
    }

    #[test]
    fn without_a_percent_sign_the_wildcards_of_the_vendor_are_off() {
        assert_eq!(
            Pattern::parse("web_1").unwrap().criterion("hostName").string_wildcards,
            Some(false)
        );
        assert_eq!(
            Pattern::parse("web_%").unwrap().criterion("hostName").string_wildcards,
            Some(true)
        );
    }

    #[test]
    fn control_characters_are_refused() {
        assert!(Pattern::parse("a\0b").is_err() && Pattern::parse(&"x".repeat(256)).is_err());
    }
}
