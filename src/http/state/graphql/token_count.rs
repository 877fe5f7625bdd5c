//! Counts the tokens of a document and the nesting of its brackets before it is parsed: the parser
//! recurses with every bracket, so that unchecked nesting could overflow the stack.

/// The size of a document's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentStats {
    /// The number of tokens (GraphQL, section 2.1.6).
    pub tokens: usize,
    /// The deepest nesting of `{`, `[` and `(`.
    pub nesting: usize,
}

/// A string without a closing quote.
#[derive(Debug, PartialEq, Eq)]
pub struct UnterminatedString;

/// Counts the tokens and brackets of a GraphQL document. A character that begins no token counts as
/// one; the parser rejects it.
///
/// # Errors
/// If a string is unterminated: the parser might see brackets where this function saw text.
pub fn count(text: &str) -> Result<DocumentStats, UnterminatedString> {
    let bytes = text.as_bytes();
    let mut stats = DocumentStats::default();
    let mut open = 0usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            // A byte order mark, which is ignored (GraphQL, section 2.1.1).
            0xEF if bytes[at..].starts_with("\u{feff}".as_bytes()) => {
                at += 3;
                continue;
            }
            b'#' => {
                at = skip(bytes, at, |byte| byte != b'\n' && byte != b'\r');
                continue;
            }
            b'"' => string(bytes, at)?,
            b'.' => skip(bytes, at, |byte| byte == b'.'),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                skip(bytes, at, |byte| byte == b'_' || byte.is_ascii_alphanumeric())
            }
            b'-' | b'0'..=b'9' => number(bytes, at),
            _ => at + 1,
        };
        match byte {
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        stats.tokens += 1;
        stats.nesting = stats.nesting.max(open);
        at = end;
    }
    Ok(stats)
}

/// The end of the number that begins at `from`: a point belongs to it before a digit, a sign after
/// an exponent.
fn number(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        let belongs = match byte {
            b'.' => bytes.get(at + 1).is_some_and(u8::is_ascii_digit),
            b'+' | b'-' => bytes[at - 1].eq_ignore_ascii_case(&b'e'),
            byte => byte.is_ascii_digit() || byte.eq_ignore_ascii_case(&b'e'),
        };
        if !belongs {
            break;
        }
        at += 1;
    }
    at
}

fn skip(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len())
}

/// The end of the string that begins at `from` (GraphQL, section 2.9.4).
fn string(bytes: &[u8], from: usize) -> Result<usize, UnterminatedString> {
    const BLOCK: &[u8] = b"\"\"\"";
    let block = bytes[from..].starts_with(BLOCK);
    let mut at = from + if block { BLOCK.len() } else { 1 };
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        match (block, rest[0]) {
            (true, b'\\') if rest[1..].starts_with(BLOCK) => at += 4,
            (true, b'"') if rest.starts_with(BLOCK) => return Ok(at + BLOCK.len()),
            (false, b'\\') => at += 2,
            (false, b'"') => return Ok(at + 1),
            (false, b'\n' | b'\r') => return Err(UnterminatedString),
            _ => at += 1,
        }
    }
    Err(UnterminatedString)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens_and_nesting(text: &str) -> (usize, usize) {
        let stats = count(text).unwrap();
        (stats.tokens, stats.nesting)
    }

    #[test]
    fn tokens_are_counted_as_specified() {
        assert_eq!(tokens_and_nesting("{ a }"), (3, 1));
        assert_eq!(
            tokens_and_nesting(
                "query Q($a: [Int!]! = [1, -2.5e3]) { b(a: $a) ...F @skip(if: true) }"
            ),
            (35, 2)
        );
        assert_eq!(tokens_and_nesting("{a...F...G}"), (7, 1));
        assert_eq!(tokens_and_nesting("[1-1 1.5-1]"), (6, 1));
        assert_eq!(tokens_and_nesting("\u{feff}{ a } # { { {"), (3, 1));
    }

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(tokens_and_nesting(r#"{ a(b: "{{{\"[[[") }"#), (8, 2));
        assert_eq!(tokens_and_nesting(r#"{ a(b: """ {{{ \""" [[[ """) }"#), (8, 2));
        assert_eq!(tokens_and_nesting(r#"{ a(b: "") }"#), (8, 2));
    }

    #[test]
    fn unterminated_string_is_an_error() {
        for text in ["{ a(b: \"", "\"\"\" \"", "\"a\nb\"", "\"\\", "[\"\"\" \" \" [[[["] {
            assert_eq!(count(text), Err(UnterminatedString), "{text}");
        }
    }
}
