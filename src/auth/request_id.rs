//! The ids of requests.

use std::sync::Arc;

/// The ids of a request: the gateway's own, which is unique, and the one that the caller sent,
/// which several requests may share. Each is 1 to 64 characters of `[A-Za-z0-9._-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    own: Arc<str>,
    of_caller: Option<Arc<str>>,
}

impl From<uuid::Uuid> for RequestId {
    fn from(id: uuid::Uuid) -> Self {
        Self { own: id.to_string().into(), of_caller: None }
    }
}

impl RequestId {
    /// Parses a gateway's own id, as stored in records.
    pub fn parse(text: &str) -> Option<Self> {
        is_request_id(text).then(|| Self { own: text.into(), of_caller: None })
    }

    /// Adds the id that the caller sent, if it is valid.
    #[must_use]
    pub fn given(self, of_caller: Option<&str>) -> Self {
        Self { of_caller: of_caller.filter(|text| is_request_id(text)).map(Into::into), ..self }
    }

    /// The gateway's own id.
    pub fn own(&self) -> &str {
        &self.own
    }

    /// The id that the caller sent.
    pub fn of_caller(&self) -> Option<&str> {
        self.of_caller.as_deref()
    }

    /// The id that responses and upstream requests carry: the caller's own, else the gateway's.
    pub fn as_str(&self) -> &str {
        self.of_caller().unwrap_or(&self.own)
    }
}

fn is_request_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
