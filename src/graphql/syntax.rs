//! Syntax that apollo-parser 0.8 handles differently from the specification: it drops an argument
//! or an input field without a value, and refuses descriptions of operations, fragments and
//! variables (GraphQL, September 2025).

use std::borrow::Cow;

use apollo_compiler::parser::Parser;
use async_graphql::Pos;

/// Keywords of definitions that may have a description. A query in its short form may not.
const DESCRIBED: [&str; 4] = ["query", "mutation", "subscription", "fragment"];

/// The construct that encloses a token within parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    /// Arguments or an input object: names and values alternate.
    Members,
    /// A list, or the definitions of variables.
    Others,
}

/// Checks that each argument and each input field has a value.
///
/// # Errors
/// The expected token and its position.
pub(super) fn check(text: &str) -> Result<(), (String, Pos)> {
    let tokens = tokens(text);
    let mut around: Vec<Around> = Vec::new();
    let mut at = 0;
    while let Some(&(token, offset)) = tokens.get(at) {
        let following = tokens.get(at + 1).map_or("", |(token, _)| *token);
        match token {
            "(" if following == "$" => around.push(Around::Others),
            "(" => around.push(Around::Members),
            "[" if !around.is_empty() => around.push(Around::Others),
            "{" if !around.is_empty() => around.push(Around::Members),
            ")" | "]" | "}" => drop(around.pop()),
            // A name, its colon, and the first token of its value.
            _ if around.last() == Some(&Around::Members) => {
                if following != ":" {
                    return Err((
                        format!("Syntax Error: Expected \":\", found {following:?}."),
                        position(text, offset),
                    ));
                }
                let opens = tokens.get(at + 2).is_some_and(|(token, _)| ["[", "{"].contains(token));
                let is_variable = tokens.get(at + 2).is_some_and(|(token, _)| *token == "$");
                at += match (opens, is_variable) {
                    (true, _) => 2,
                    (_, true) => 4,
                    _ => 3,
                };
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// Replaces each character of a description with a space, so that every other token keeps its
/// position.
///
/// # Errors
/// If a description is not a valid string, with its position.
pub(super) fn without_descriptions(text: &str) -> Result<Cow<'_, str>, (String, Pos)> {
    let descriptions = descriptions(text);
    if descriptions.is_empty() {
        return Ok(Cow::Borrowed(text));
    }
    let mut blanked = String::with_capacity(text.len());
    let mut copied = 0;
    for (description, offset) in descriptions {
        // apollo-parser validates strings only where it expects one.
        let as_argument = format!("{{ field(argument: {description}) }}");
        if Parser::new().parse_ast(as_argument, "description.graphql").is_err() {
            let message = "Syntax Error: the description is not a valid string".to_owned();
            return Err((message, position(text, offset)));
        }
        let blank = |letter| if matches!(letter, '\n' | '\r') { letter } else { ' ' };
        blanked.push_str(text.get(copied..offset).unwrap_or_default());
        blanked.extend(description.chars().map(blank));
        copied = offset + description.len();
    }
    blanked.push_str(text.get(copied..).unwrap_or_default());
    Ok(Cow::Owned(blanked))
}

/// The descriptions of a text, each with its offset.
fn descriptions(text: &str) -> Vec<(&str, usize)> {
    if !text.contains('"') {
        return Vec::new();
    }
    let tokens = tokens(text);
    let mut open = Vec::new();
    let mut found = Vec::new();
    let mut before = "";
    for (index, &(token, offset)) in tokens.iter().enumerate() {
        let after = tokens.get(index + 1).map_or("", |(token, _)| *token);
        match token {
            "(" | "[" | "{" => open.push(token),
            ")" | "]" | "}" => drop(open.pop()),
            _ if token.starts_with('"') => {
                let describes = match open.as_slice() {
                    [] => ["", "}"].contains(&before) && DESCRIBED.contains(&after),
                    // After `=` it is the default of the variable before.
                    ["("] => before != "=" && after == "$",
                    _ => false,
                };
                if describes {
                    found.push((token, offset));
                }
            }
            _ => {}
        }
        before = token;
    }
    found
}

/// The tokens of a text, each with its offset.
fn tokens(text: &str) -> Vec<(&str, usize)> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => {
                at += 1;
                continue;
            }
            b'#' => {
                at += bytes[at..]
                    .iter()
                    .position(|byte| matches!(byte, b'\n' | b'\r'))
                    .unwrap_or(bytes.len() - at);
                continue;
            }
            b'"' => string_end(bytes, at),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'0'..=b'9' => {
                let belongs = |byte: &u8| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-')
                };
                at + 1
                    + bytes[at + 1..]
                        .iter()
                        .position(|byte| !belongs(byte))
                        .unwrap_or(bytes.len() - at - 1)
            }
            _ => at + 1,
        };
        tokens.push((text.get(at..end).unwrap_or_default(), at));
        at = end;
    }
    tokens
}

fn string_end(bytes: &[u8], from: usize) -> usize {
    let block = bytes[from..].starts_with(b"\"\"\"");
    let mut at = from + if block { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if !block => at += 2,
            b'\\' if bytes[at + 1..].starts_with(b"\"\"\"") => at += 4,
            b'"' if !block => return at + 1,
            b'"' if bytes[at..].starts_with(b"\"\"\"") => return at + 3,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn position(text: &str, offset: usize) -> Pos {
    let before = text.get(..offset).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Pos { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argument_without_a_value_is_refused() {
        for text in [
            "{ a(b) }",
            "{ a(b c: 1) }",
            "{ a(b: {c}) }",
            "{ a(b: [{c: 1, d}]) }",
            "query($a: I = {b}) { a }",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn description_is_blanked_and_other_strings_are_kept() {
        for (text, blanked) in [
            ("\"d\" query Q { a }", "    query Q { a }"),
            ("{ a } \"é\\\"\"fragment F on T { a }", "{ a }      fragment F on T { a }"),
            ("query(\"\"\"d\n\"\"\" $v: I) { a }", "query(    \n    $v: I) { a }"),
            ("query($v: S = \"x\" \"d\" $w: I) { a }", "query($v: S = \"x\"     $w: I) { a }"),
            ("query($v: S = \"x\" $w: I) { a }", "query($v: S = \"x\" $w: I) { a }"),
            ("\"d\" { a(b: \"query\") }", "\"d\" { a(b: \"query\") }"),
            ("query \"d\" query { a }", "query \"d\" query { a }"),
        ] {
            assert_eq!(without_descriptions(text).unwrap(), blanked, "{text}");
        }
        assert!(without_descriptions(r#""\q" query { a }"#).is_err());
        assert!(without_descriptions("\"d\n\" query { a }").is_err());
    }

    #[test]
    fn argument_with_a_value_is_taken() {
        for text in [
            "{ a(b: 1, c: -1.5e3, d: $e, f: [1, $g, {h: 1}], i: {}, j: \"):\", k: X) { l } }",
            "query Q($a: [I!]! = {b: {c: [\"\"\" } \"\"\"]}} @d(e: 1), $f: T) { a @skip(if: $f) }",
            "{ ...F@include(if:true)a(b:1){c}...{d} } # ( {",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }
}
