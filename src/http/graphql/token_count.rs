//! A first look at a document, before the parser: how many tokens, how deeply its brackets are
//! nested. The parser recurses with every bracket, so that one that nobody counted first could be
//! made to overrun the stack.

/// What a text consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DocumentStats {
    /// Tokens (GraphQL, section 2.1.6).
    pub tokens: usize,
    /// The deepest nesting of `{`, `[` and `(`.
    pub nesting: usize,
}

/// A string that has no end.
#[derive(Debug, PartialEq, Eq)]
pub struct UnterminatedString;

/// Counts the tokens and brackets of a GraphQL document. What is no token of GraphQL counts as one:
/// the parser will say so.
///
/// # Errors
/// If a string has no end. The parser might then see brackets where this function saw text.
pub fn count(text: &str) -> Result<DocumentStats, UnterminatedString> {
    let bytes = text.as_bytes();
    let (mut shape, mut open, mut at) = (DocumentStats::default(), 0usize, 0);
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            // A byte order mark, which is white space too.
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
        shape.tokens += 1;
        shape.nesting = shape.nesting.max(open);
        at = end;
    }
    Ok(shape)
}

/// The nesting of objects and lists in a JSON text.
pub fn json_nesting(bytes: &[u8]) -> usize {
    let (mut deepest, mut open, mut in_string, mut escaped) = (0, 0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => open += 1,
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// Where the number that begins at `from` ends: a point belongs to it before a digit, a sign after
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

/// Where the string that begins at `from` ends (GraphQL, section 2.9.4).
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

    fn shape(text: &str) -> (usize, usize) {
        let shape = count(text).unwrap();
        (shape.tokens, shape.nesting)
    }

    #[test]
    fn tokens_are_counted_as_the_specification_does() {
        assert_eq!(shape("{ a }"), (3, 1));
        assert_eq!(
            shape("query Q($a: [Int!]! = [1, -2.5e3]) { b(a: $a) ...F @skip(if: true) }"),
            (35, 2)
        );
        assert_eq!(shape("{a...F...G}"), (7, 1));
        assert_eq!(shape("[1-1 1.5-1]"), (6, 1));
        assert_eq!(shape("\u{feff}{ a } # { { {"), (3, 1));
    }

    #[test]
    fn brackets_in_strings_are_text() {
        assert_eq!(shape(r#"{ a(b: "{{{\"[[[") }"#), (8, 2));
        assert_eq!(shape(r#"{ a(b: """ {{{ \""" [[[ """) }"#), (8, 2));
        assert_eq!(shape(r#"{ a(b: "") }"#), (8, 2));
    }

    #[test]
    fn a_string_without_end_is_refused() {
        for text in ["{ a(b: \"", "\"\"\" \"", "\"a\nb\"", "\"\\", "[\"\"\" \" \" [[[["] {
            assert_eq!(count(text), Err(UnterminatedString), "{text}");
        }
    }

    #[test]
    fn nesting_of_json_ignores_text() {
        assert_eq!(json_nesting(br#"{"a":["{[\"{[",{}]}"#), 3);
        assert_eq!(json_nesting(&[b'['; 20_000]), 20_000);
    }
}
