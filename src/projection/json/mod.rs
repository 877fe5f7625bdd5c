//! Reads JSON (RFC 8259) from front to back. Its whole grammar is checked, also that of values that
//! nobody wants. They are most of what a manager sends, and `serde_json` takes half as long again for
//! them (`docs/decisions/0010-own-json-reader.md`).

mod ends;
mod error;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::ends::{Broken, space_end, string_end, token_end, value_end};
pub use self::error::JsonError;

/// Why reading stopped. The reader knows where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// The text is not JSON, or is incomplete.
    Broken,
    /// A value has another type or another form than its reader expects, or is missing.
    Mistyped,
}

pub(super) type Read<T> = Result<T, Problem>;

/// Reads one text.
pub(super) struct JsonReader<'a> {
    text: &'a str,
    /// The position of what comes next; after a problem, that of its cause.
    at: usize,
}

/// The key of a member.
pub(super) struct Key<'a> {
    /// Borrowed where it has no escapes.
    pub name: Cow<'a, str>,
    /// As it stands in the text, with its colon.
    pub raw: &'a str,
}

impl<'a> JsonReader<'a> {
    /// A reader of a text whose beginning comes next.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Reads an object; `member` reads the key and the value of each member.
    pub fn object(&mut self, member: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.each(b'{', b'}', member)
    }

    /// Reads an array; `item` reads the value of each item.
    pub fn array(&mut self, item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.each(b'[', b']', item)
    }

    /// Reads a key.
    pub fn key(&mut self) -> Read<Key<'a>> {
        let bytes = self.text.as_bytes();
        let start = space_end(bytes, self.at);
        self.pass(token_end(bytes, start, b'"').and_then(|at| string_end(bytes, at)))?;
        let string = &self.text[start..self.at];
        self.pass(token_end(bytes, self.at, b':'))?;
        let name = if string.as_bytes().contains(&b'\\') {
            Cow::Owned(serde_json::from_str(string).map_err(|_| Problem::Broken)?)
        } else {
            Cow::Borrowed(&string[1..string.len() - 1])
        };
        Ok(Key { name, raw: &self.text[start..self.at] })
    }

    /// Skips a key that stands there with its colon exactly as `raw`, which a reader returned before;
    /// whether it does. That is faster than [`JsonReader::key`].
    pub fn skip_key(&mut self, raw: &str) -> bool {
        let at = space_end(self.text.as_bytes(), self.at);
        let stands_there = self.text.as_bytes()[at..].starts_with(raw.as_bytes());
        if stands_there {
            self.at = at + raw.len();
        }
        stands_there
    }

    /// The text of a value, without the space around it.
    pub fn value(&mut self) -> Read<&'a str> {
        let start = space_end(self.text.as_bytes(), self.at);
        self.skip_value()?;
        Ok(&self.text[start..self.at])
    }

    /// Reads a value that nobody wants.
    pub fn skip_value(&mut self) -> Read<()> {
        self.pass(value_end(self.text.as_bytes(), self.at))
    }

    /// Checks that only space is left.
    pub fn end(&mut self) -> Read<()> {
        self.at = space_end(self.text.as_bytes(), self.at);
        if self.at == self.text.len() { Ok(()) } else { Err(Problem::Broken) }
    }

    /// The problem with its position.
    pub fn error(&self, problem: Problem) -> JsonError {
        JsonError::new(self.text, self.at, problem)
    }

    fn each(
        &mut self,
        opening: u8,
        closing: u8,
        mut read: impl FnMut(&mut Self) -> Read<()>,
    ) -> Read<()> {
        if self.peek()? != opening {
            // A value of another type is told from text that is not JSON at all.
            self.skip_value()?;
            return Err(Problem::Mistyped);
        }
        self.at += 1;
        if self.peek()? == closing {
            self.at += 1;
            return Ok(());
        }
        loop {
            read(self)?;
            let next = self.peek()?;
            if next != b',' && next != closing {
                return Err(Problem::Broken);
            }
            self.at += 1;
            if next == closing {
                return Ok(());
            }
        }
    }

    fn peek(&mut self) -> Read<u8> {
        self.at = space_end(self.text.as_bytes(), self.at);
        self.text.as_bytes().get(self.at).copied().ok_or(Problem::Broken)
    }

    fn pass(&mut self, end: Result<usize, Broken>) -> Read<()> {
        let (at, read) = match end {
            Ok(at) => (at, Ok(())),
            Err(Broken { at }) => (at, Err(Problem::Broken)),
        };
        self.at = at;
        read
    }
}
