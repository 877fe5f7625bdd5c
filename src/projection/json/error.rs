//! Errors of reading JSON.

use std::fmt;

use serde_json::error::Category;

use super::Problem;

/// Why a text cannot be read, and where; none of the text itself, which may contain secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    what: What,
    line: usize,
    /// In bytes, from 1.
    column: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    NotJson,
    Incomplete,
    Mistyped,
}

impl JsonError {
    pub(super) fn new(text: &str, at: usize, problem: Problem) -> Self {
        let what = match problem {
            Problem::Mistyped => What::Mistyped,
            Problem::Broken if at >= text.len() => What::Incomplete,
            Problem::Broken => What::NotJson,
        };
        let before = &text.as_bytes()[..at.min(text.len())];
        let (mut line, mut column) = (0, 0);
        for part in before.split(|byte| *byte == b'\n') {
            (line, column) = (line + 1, part.len());
        }
        // The column of the byte in question, or of the last one of an incomplete text.
        Self { what, line, column: column + usize::from(at < text.len()) }
    }
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Eof => What::Incomplete,
            Category::Data => What::Mistyped,
            Category::Io | Category::Syntax => What::NotJson,
        };
        Self { what, line: error.line(), column: error.column() }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, column } = self;
        let what = match what {
            What::NotJson => "is not JSON",
            What::Incomplete => "is incomplete JSON",
            What::Mistyped => "has a missing or mistyped field",
        };
        write!(f, "{what}, at line {line} column {column}")
    }
}
