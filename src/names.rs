//! Names that people give, and patterns that find them again.

use crate::error::{Error, Result};

const LENGTH_MAX: usize = 255;

/// The trigram index of either database needs so many characters in a row.
const INDEXED_RUN: usize = 3;

/// A name: 1 to 255 characters of any script, without space around it and without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Takes a name from a caller; space around it is cut off.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument`.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > LENGTH_MAX {
            return Err(Error::bad_input(argument, "must have 1 to 255 characters"));
        }
        if trimmed.chars().any(char::is_control) {
            return Err(Error::bad_input(argument, "must not have control characters"));
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without letter case, as it is stored for searching and sorting.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Removes letter case in the same way for every script and database: each character alone, upper case first, so that
/// `ß` equals `SS` and both forms of the small sigma are one.
pub fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// What a caller searches names for. The wildcard stands for any text, also none, anywhere and more than once; everything
/// else stands for itself, letter case ignored; without a wildcard it is the whole name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    pieces: Vec<String>,
}

impl NamePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` for a pattern of more than 255 characters or with control characters.
    pub fn parse(argument: &str, text: &str, wildcard: char) -> Result<Self> {
        if text.chars().count() > LENGTH_MAX {
            return Err(Error::bad_input(argument, "must have at most 255 characters"));
        }
        if text.chars().any(char::is_control) {
            return Err(Error::bad_input(argument, "must not have control characters"));
        }
        let pieces: Vec<&str> = text.split(wildcard).collect();
        let last = pieces.len() - 1;
        // Wildcards in a row are one.
        let kept = pieces.iter().enumerate().filter(|(at, piece)| *at == 0 || *at == last || !piece.is_empty());
        Ok(Self { pieces: kept.map(|(_, piece)| fold(piece)).collect() })
    }

    /// The pattern for `LIKE … ESCAPE '\'` over folded names.
    pub fn like(&self) -> String {
        self.pieces.iter().map(|piece| escaped(piece)).collect::<Vec<_>>().join("%")
    }

    /// Whether a whole name fits the pattern, where no database is asked.
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

    /// Every run of characters that a trigram index can look up; none in `%ab%`.
    pub fn runs(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(String::as_str).filter(|piece| piece.chars().count() >= INDEXED_RUN)
    }
}

/// Text for `LIKE … ESCAPE '\'` that stands for itself.
pub fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

/// The query for an FTS5 trigram table that finds this text.
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
    fn a_name_fits_as_it_would_in_the_database() {
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
        for (one, two) in [("STRASSE", "straße"), ("ОТЧЁТ", "отчёт"), ("ΟΔΟΣ", "οδος"), ("Ağ", "aĞ")]
        {
            assert_eq!(fold(one), fold(two));
        }
    }

    #[test]
    fn a_name_is_trimmed_and_checked() {
        assert_eq!(Name::parse("name", "  東京支社 ").unwrap().as_str(), "東京支社");
        for bad in ["", "   ", "a\0b", "a\nb", &"x".repeat(256)] {
            assert!(Name::parse("name", bad).is_err(), "{bad:?}");
        }
        assert!(Name::parse("name", &"é".repeat(255)).is_ok());
    }
}
