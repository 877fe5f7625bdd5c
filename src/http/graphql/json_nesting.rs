//! The nesting of JSON, checked before it is parsed: the parser recurses with every bracket.

use crate::error::{Error, ErrorCode, Result};

/// Checks that objects and lists are nested at most `maximum` deep.
///
/// # Errors
/// `BAD_REQUEST` if they are nested more deeply.
pub fn check_nesting(json: &[u8], maximum: usize) -> Result<()> {
    let nesting = nesting(json);
    if nesting <= maximum {
        return Ok(());
    }
    let message = format!("limit `json_nesting` exceeded: {nesting} > {maximum}");
    Err(Error::new(ErrorCode::BadRequest, message))
}

fn nesting(json: &[u8]) -> usize {
    let mut deepest = 0;
    let mut open = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in json {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_do_not_nest() {
        assert_eq!(nesting(br#"{"a":["{[\"{[",{}]}"#), 3);
        assert_eq!(nesting(&vec![b'['; 20_000]), 20_000);
    }
}
