//! Names given by people, and patterns that search for them.

use tenant_gateway_folding::is_ignorable;

use crate::error::{Error, Result};

pub use tenant_gateway_folding::{compose, fold};

const LENGTH_MAX: usize = 255;

/// The trigram index of either database needs this many characters in a row.
const INDEXED_RUN: usize = 3;

/// A name: 1 to 255 characters of any script, at least one of them visible, without surrounding
/// white space, line separators and control characters of text direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Parses a name given by a caller; surrounding white space is trimmed.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > LENGTH_MAX {
            return Err(Error::bad_input(argument, "must have 1 to 255 characters"));
        }
        if trimmed.chars().any(|character| character.is_control() || LINE_ENDS.contains(&character))
        {
            return Err(Error::bad_input(argument, "must not have control characters"));
        }
        if trimmed.chars().any(changes_direction) {
            return Err(Error::bad_input(
                argument,
                "must not have characters that change the direction of text",
            ));
        }
        if trimmed.chars().all(is_invisible) {
            return Err(Error::bad_input(argument, "must have a visible character"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name folded, as it is stored for searching and sorting.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// LINE SEPARATOR and PARAGRAPH SEPARATOR.
const LINE_ENDS: [char; 2] = ['\u{2028}', '\u{2029}'];

const BLANK_BRAILLE: char = '\u{2800}';

/// Whether a character embeds, overrides or isolates a direction of writing (Unicode, annex 9): the
/// text after it would be shown in another order, even outside of the name.
fn changes_direction(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_invisible(character: char) -> bool {
    character.is_whitespace() || is_ignorable(character) || character == BLANK_BRAILLE
}

/// A pattern to search names for. The wildcard matches any text, also none, and may occur anywhere
/// and repeatedly; other characters match themselves, case-folded. The pattern matches whole names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    pieces: Vec<String>,
}

impl NamePattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` for a pattern of more than 255 characters or with control
    /// characters.
    pub fn parse(argument: &str, text: &str, wildcard: char) -> Result<Self> {
        if text.chars().count() > LENGTH_MAX {
            return Err(Error::bad_input(argument, "must have at most 255 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(Error::bad_input(argument, "must not have control characters"));
        }
        let pieces: Vec<&str> = text.split(wildcard).collect();
        let last = pieces.len() - 1;
        // Consecutive wildcards are one.
        let kept = pieces
            .iter()
            .enumerate()
            .filter(|(at, piece)| *at == 0 || *at == last || !piece.is_empty());
        Ok(Self { pieces: kept.map(|(_, piece)| fold(piece)).collect() })
    }

    /// The pattern for `LIKE … ESCAPE '\'` over folded names.
    pub fn like(&self) -> String {
        self.pieces.iter().map(|piece| escaped(piece)).collect::<Vec<_>>().join("%")
    }

    /// Whether the pattern matches a name, for lists that no database searches.
    pub fn matches(&self, name: &str) -> bool {
        let name = fold(name);
        let Some((first, others)) = self.pieces.split_first() else { return name.is_empty() };
        let Some((last, between)) = others.split_last() else { return name == *first };
        let Some(mut rest) = name.strip_prefix(first.as_str()) else { return false };
        for piece in between {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }

    /// The runs of characters that a trigram index can look up; none in `%ab%`.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(String::as_str).filter(|piece| piece.chars().count() >= INDEXED_RUN)
    }
}

/// Escapes text for `LIKE … ESCAPE '\'`, so that it matches itself.
pub fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// The query of an FTS5 trigram table for this text.
pub fn phrase(run: &str) -> String {
    format!("\"{}\"", run.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> NamePattern {
        NamePattern::parse("name", text, '%').unwrap()
    }

    #[test]
    fn only_the_wildcard_is_special() {
        assert_eq!(pattern(r"a_b\c").like(), r"a\_b\\c");
        assert_eq!(pattern("%docs%").like(), "%docs%");
        assert_eq!(pattern("%%a%%%b%%").like(), "%a%b%");
        assert_eq!(pattern("%").like(), "%");
        assert_eq!(pattern("").like(), "");
        assert_eq!(NamePattern::parse("name", "a%*", '*').unwrap().like(), r"a\%%");
    }

    #[test]
    fn names_match_as_in_the_database() {
        for (text, name, fits) in [
            ("web", "WEB", true),
            ("web", "web-01", false),
            ("web%", "web-01", true),
            ("%01", "web-01", true),
            ("%eb%0%", "web-01", true),
            ("%0%eb%", "web-01", false),
            ("ab%ba", "aba", false),
            ("w_b", "web", false),
            ("%", "", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(pattern(text).matches(name), fits, "{text} {name}");
        }
    }

    #[test]
    fn short_runs_are_left_to_the_scan() {
        assert_eq!(pattern("%ab%").runs().count(), 0);
        assert_eq!(pattern("%abc%d%efgh").runs().collect::<Vec<_>>(), ["abc", "efgh"]);
        assert_eq!(phrase("a\"b"), r#""a""b""#);
    }

    #[test]
    fn letter_case_is_ignored_in_every_script() {
        for (one, two) in
            [("STRASSE", "straße"), ("ОТЧЁТ", "отчёт"), ("ΟΔΟΣ", "οδος"), ("Ağ", "aĞ")]
        {
            assert_eq!(fold(one), fold(two));
        }
    }

    #[test]
    fn names_and_patterns_are_compared_as_people_see_them() {
        assert!(
            pattern("ISTANBUL%").matches("İstanbul office") && pattern("%İ%").matches("istanbul")
        );
        assert!(pattern("Zoe\u{308}").matches("ZOË") && pattern("Zoë%").matches("zoe\u{308} 1"));
        assert!(pattern("%acme%").matches("ＡＣ\u{200B}ＭＥ"));
    }

    #[test]
    fn name_needs_a_visible_character_and_one_direction() {
        for invisible in [
            "\u{200B}",
            "\u{2060}",
            "\u{200E}",
            "\u{FEFF}",
            "\u{AD}",
            "\u{3164}",
            "\u{2800}",
            "\u{200D} \u{FE0F}",
        ] {
            assert!(Name::parse("name", invisible).is_err(), "{invisible:?}");
        }
        for turned in ["a\u{202E}b", "\u{202D}a", "a\u{2067}b\u{2069}", "a\u{2028}b"] {
            assert!(Name::parse("name", turned).is_err(), "{turned:?}");
        }
        for good in ["👩\u{200D}💻", "می\u{200C}خواهم", "שלום\u{200F}", "in\u{AD}voice"]
        {
            assert_eq!(Name::parse("name", good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn name_is_trimmed_and_checked() {
        assert_eq!(Name::parse("name", "  東京支社 ").unwrap().as_str(), "東京支社");
        for bad in ["", "   ", "a\0b", "a\nb", &"x".repeat(256)] {
            assert!(Name::parse("name", bad).is_err(), "{bad:?}");
        }
        assert!(Name::parse("name", &"é".repeat(255)).is_ok());
    }
}
