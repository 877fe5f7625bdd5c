//! Answers of a console, before they are sent.

use std::borrow::Cow;

use serde::Serialize;

/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";

/// The content type of XML.
pub(crate) const XML: &str = "application/xml; charset=utf-8";

/// The format of a console's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    Json,
    Xml,
}

impl BodyFormat {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Xml => XML,
        }
    }
}

/// An answer.
pub(crate) struct Answer {
    pub status: u16,
    /// Sent with a body; empty to omit the header.
    pub content_type: Cow<'static, str>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    Empty,
    Bytes(Vec<u8>),
    /// A list whose items are generated while they are sent, because it may exceed the memory.
    List {
        syntax: ListSyntax,
        items: Items,
    },
}

/// The text before, between and after the items of a list.
pub(crate) struct ListSyntax {
    pub opening: String,
    pub separator: &'static str,
    pub closing: &'static str,
}

/// The serialized items of a list.
pub(crate) type Items = Box<dyn Iterator<Item = Vec<u8>> + Send>;

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self { status, content_type: JSON.into(), headers: Vec::new(), body: Body::Empty }
    }

    /// An answer with an object as JSON.
    pub fn value(status: u16, value: &impl Serialize) -> Self {
        Self { body: Body::Bytes(json(value)), ..Self::empty(status) }
    }

    /// 200 with a body of any content type.
    pub fn raw(content_type: impl Into<Cow<'static, str>>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            content_type: content_type.into(),
            body: Body::Bytes(text.into()),
            ..Self::empty(200)
        }
    }

    /// 200 with a list of objects.
    pub fn list(
        member: &'static str,
        items: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { body: Body::list(member, items), ..Self::empty(200) }
    }
}

impl Body {
    /// `{"<member>": [<item>, …]}`
    pub fn list(member: &str, items: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        let opening = format!(r#"{{"{member}":["#);
        let syntax = ListSyntax { opening, separator: ",", closing: "]}" };
        Self::List { syntax, items: Box::new(items) }
    }

    /// The whole body.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Bytes(bytes) => bytes,
            Self::List { syntax, items } => ListChunks::new(syntax, items).flatten().collect(),
        }
    }
}

/// A value as compact JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("values of this crate have text keys")
}

/// The body of a list in chunks of several whole items.
pub(crate) struct ListChunks {
    opening: String,
    separator: &'static str,
    closing: &'static str,
    items: std::iter::Peekable<Items>,
    done: bool,
}

impl ListChunks {
    const CHUNK_SIZE: usize = 16 * 1024;

    pub fn new(syntax: ListSyntax, items: Items) -> Self {
        let ListSyntax { opening, separator, closing } = syntax;
        Self { opening, separator, closing, items: items.peekable(), done: false }
    }
}

impl Iterator for ListChunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.done {
            return None;
        }
        let mut chunk = std::mem::take(&mut self.opening).into_bytes();
        while chunk.len() < Self::CHUNK_SIZE {
            let Some(item) = self.items.next() else {
                chunk.extend_from_slice(self.closing.as_bytes());
                self.done = true;
                break;
            };
            chunk.extend_from_slice(&item);
            if self.items.peek().is_some() {
                chunk.extend_from_slice(self.separator.as_bytes());
            }
        }
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn list(items: Vec<Value>) -> Value {
        let items = items.into_iter().map(|item| json(&item));
        serde_json::from_slice(&Body::list("roles", items).into_bytes()).unwrap()
    }

    #[test]
    fn list_of_any_length_is_complete() {
        assert_eq!(list(vec![]), json!({"roles": []}));
        let many: Vec<Value> = (0..10_000).map(|id| json!({"ID": id})).collect();
        assert_eq!(list(many.clone()), json!({ "roles": many }));
    }
}
