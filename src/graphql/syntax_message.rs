//! Syntax errors of apollo-parser 0.8 in the words of graphql-js, which callers search for.

/// The names of the tokens that the parser says it expected, as they are written.
const TOKENS: [(&str, &str); 4] =
    [("R_CURLY", "}"), ("R_PAREN", ")"), ("R_BRACK", "]"), ("AT", "@")];

/// The message of a syntax error, such as `Syntax Error: Expected "}", found <EOF>.`
pub(super) fn syntax_message(message: &str) -> String {
    let message = message.strip_prefix("syntax error: ").unwrap_or(message);
    let sentence = expectation(message).unwrap_or_else(|| capitalized(message));
    let end = if sentence.ends_with('.') { "" } else { "." };
    format!("Syntax Error: {sentence}{end}")
}

/// The message `expected TOKEN, got TEXT`, which names the token as the parser's code does.
fn expectation(message: &str) -> Option<String> {
    let (name, found) = message.strip_prefix("expected ")?.split_once(", got ")?;
    let (_, token) = TOKENS.iter().find(|(known, _)| *known == name)?;
    let found = if found == "EOF" { "<EOF>".to_owned() } else { format!("{found:?}") };
    Some(format!("Expected \"{token}\", found {found}"))
}

fn capitalized(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_names_tokens_as_they_are_written() {
        for (of_parser, message) in [
            ("syntax error: expected R_CURLY, got EOF", "Expected \"}\", found <EOF>."),
            ("syntax error: expected R_PAREN, got {", "Expected \")\", found \"{\"."),
            ("syntax error: expected a Name", "Expected a Name."),
            ("syntax error: Unexpected <EOF>.", "Unexpected <EOF>."),
            ("another message", "Another message."),
        ] {
            assert_eq!(syntax_message(of_parser), format!("Syntax Error: {message}"));
        }
    }
}
