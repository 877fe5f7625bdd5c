//! Name patterns.

use crate::deep_security::wire::Criterion;
use crate::error::{Error, Result};
use crate::names::{compose, fold};

const LENGTH_MAX: usize = 255;

/// A name pattern: `%` matches any text, every other character itself; case is ignored.
///
/// The vendor has a second wildcard that cannot be escaped, `_` for any one character
/// (`docs/reference/deep-security-api.md`, section 5). A pattern with `%` may therefore return too
/// many objects, which [`Pattern::matches`] filters; one without `%` is sent with wildcards off.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    folded: Vec<String>,
}

impl Pattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for more than 255 characters, and for control characters.
    pub fn parse(text: &str) -> Result<Self> {
        if text.chars().count() > LENGTH_MAX || text.chars().any(char::is_control) {
            return Err(Error::bad_input(
                "name",
                "must have at most 255 characters and no control characters",
            ));
        }
        Ok(Self { text: compose(text), folded: text.split('%').map(fold).collect() })
    }

    /// The criterion for the manager. The text is sent in Unicode composed form, as names are
    /// stored, and not folded: the manager compares by its own collation.
    pub fn criterion(&self, field: &'static str) -> Criterion {
        Criterion {
            field_name: Some(field.to_owned()),
            string_test: Some("equal"),
            string_value: Some(self.text.clone()),
            string_wildcards: Some(self.has_wildcard()),
            ..Criterion::default()
        }
    }

    /// Whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
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

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(name)
    }

    #[test]
    fn percent_sign_is_the_only_wildcard() {
        assert!(matches("web_1%", "WEB_1.example") && !matches("web_1%", "web-1.example"));
        assert!(
            matches("%b%d%", "abcd")
                && matches("%", "")
                && matches("a%a", "aa")
                && !matches("a%a", "a")
        );
        assert!(matches("web*", "web*") && !matches("web*", "web1"));
        assert!(matches("ab%bc", "abbc") && !matches("ab%bc", "abc"));
        assert!(matches("STRASSE%", "straße 1"));
    }

    #[test]
    fn vendor_wildcards_are_off_without_a_percent_sign() {
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
