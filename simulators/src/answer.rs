//! What a console answers, before it becomes bytes.

use serde::Serialize;

/// The type of every proper answer.
pub(crate) const JSON: &str = "application/json";

/// An answer.
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    Empty,
    Text(Vec<u8>),
    /// `{"<member>": [<item>, …]}`, whose items are made only while they are sent: a list may be larger than memory.
    Many {
        member: &'static str,
        items: Items,
    },
}

/// Items of a list, each as JSON.
pub(crate) type Items = Box<dyn Iterator<Item = Vec<u8>> + Send>;

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self { status, content_type: JSON, headers: Vec::new(), body: Body::Empty }
    }

    /// An object as JSON.
    pub fn value(status: u16, value: &impl Serialize) -> Self {
        Self { body: Body::Text(json(value)), ..Self::empty(status) }
    }

    /// 200 with a text of any kind.
    pub fn raw(content_type: &'static str, text: impl Into<Vec<u8>>) -> Self {
        Self { content_type, body: Body::Text(text.into()), ..Self::empty(200) }
    }

    /// 200 with a list of objects.
    pub fn many(member: &'static str, items: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        Self { body: Body::many(member, items), ..Self::empty(200) }
    }
}

impl Body {
    pub fn many(member: &'static str, items: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Self {
        Self::Many { member, items: Box::new(items) }
    }

    /// The whole body at once.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Text(text) => text,
            Self::Many { member, items } => Pieces::of(member, items).flatten().collect(),
        }
    }
}

/// A value as compact JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("values of this crate have text keys")
}

/// A list's body in pieces, each of which holds so many whole items that it is worth sending.
pub(crate) struct Pieces {
    opening: Option<String>,
    items: std::iter::Peekable<Items>,
    done: bool,
}

impl Pieces {
    const WORTH_SENDING: usize = 16 * 1024;

    pub fn of(member: &str, items: Items) -> Self {
        Self { opening: Some(format!(r#"{{"{member}":["#)), items: items.peekable(), done: false }
    }
}

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        if self.done {
            return None;
        }
        let mut piece = self.opening.take().unwrap_or_default().into_bytes();
        while piece.len() < Self::WORTH_SENDING {
            let Some(item) = self.items.next() else {
                piece.extend_from_slice(b"]}");
                self.done = true;
                break;
            };
            piece.extend_from_slice(&item);
            if self.items.peek().is_some() {
                piece.push(b',');
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
