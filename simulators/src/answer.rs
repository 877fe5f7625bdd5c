//! What a console answers, before it becomes bytes.

use std::borrow::Cow;

use serde::Serialize;

/// The content type of JSON.
pub(crate) const JSON: &str = "application/json";

/// An answer.
pub(crate) struct Answer {
    pub status: u16,
    /// Goes with a body; empty if the body comes without one.
    pub content_type: Cow<'static, str>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    Empty,
    Text(Vec<u8>),
    /// A list whose items are made only while they are sent: it may be larger than memory.
    Many {
        around: Around,
        items: Items,
    },
}

/// What stands before, between and after the items of a list.
pub(crate) struct Around {
    pub opening: String,
    pub between: &'static str,
    pub closing: &'static str,
}

/// Items of a list, each as it is sent.
pub(crate) type Items = Box<dyn Iterator<Item = Vec<u8>> + Send>;

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self { status, content_type: JSON.into(), headers: Vec::new(), body: Body::Empty }
    }

    /// An object as JSON.
    pub fn value(status: u16, value: &impl Serialize) -> Self {
        Self { body: Body::Text(json(value)), ..Self::empty(status) }
    }

    /// 200 with a text of any kind.
    pub fn raw(content_type: impl Into<Cow<'static, str>>, text: impl Into<Vec<u8>>) -> Self {
        Self {
            content_type: content_type.into(),
            body: Body::Text(text.into()),
            ..Self::empty(200)
        }
    }

    /// 200 with a list of objects.
    pub fn many(
        member: &'static str,
        items: impl Iterator<Item = Vec<u8>> + Send + 'static,
    ) -> Self {
        Self { body: Body::many(member, items), ..Self::empty(200) }
    }
}

impl Body {
    /// `{"<member>": [<item>, …]}`
    pub fn many(member: &str, items: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        let around = Around { opening: format!(r#"{{"{member}":["#), between: ",", closing: "]}" };
        Self::Many { around, items: Box::new(items) }
    }

    /// The whole body at once.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Text(text) => text,
            Self::Many { around, items } => Pieces::of(around, items).flatten().collect(),
        }
    }
}

/// A value as compact JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("values of this crate have text keys")
}

/// A list's body in pieces, each of which holds so many whole items that it is worth sending.
pub(crate) struct Pieces {
    opening: String,
    between: &'static str,
    closing: &'static str,
    items: std::iter::Peekable<Items>,
    done: bool,
}

impl Pieces {
    const WORTH_SENDING: usize = 16 * 1024;

    pub fn of(around: Around, items: Items) -> Self {
        let Around { opening, between, closing } = around;
        Self { opening, between, closing, items: items.peekable(), done: false }
    }
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.done {
            return None;
        }
        let mut piece = std::mem::take(&mut self.opening).into_bytes();
        while piece.len() < Self::WORTH_SENDING {
            let Some(item) = self.items.next() else {
                piece.extend_from_slice(self.closing.as_bytes());
                self.done = true;
                break;
            };
            piece.extend_from_slice(&item);
            if self.items.peek().is_some() {
                piece.extend_from_slice(self.between.as_bytes());
            }
        }
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn list(items: Vec<Value>) -> Value {
        let items = items.into_iter().map(|item| json(&item));
        serde_json::from_slice(&Body::many("roles", items).into_bytes()).unwrap()
    }

    #[test]
    fn lists_are_whole_whatever_their_length() {
        assert_eq!(list(vec![]), json!({"roles": []}));
        let many: Vec<Value> = (0..10_000).map(|id| json!({"ID": id})).collect();
        assert_eq!(list(many.clone()), json!({ "roles": many }));
    }
}
