//! One call and its answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::held::HeldAnswer;

/// Whether a call changes anything at the far side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It does not, whatever its method: it may be repeated, shared with others who ask the same,
    /// and remembered.
    Read,
    /// It does: it is sent once.
    Write,
}

/// A call of a legacy system. `Debug` shows method and path alone: headers and bodies may hold
/// secrets.
pub struct Call {
    /// `GET`, `POST`, `DELETE`.
    pub method: &'static str,
    /// The segments of the path below the base URL, not yet encoded; each is percent-encoded as one
    /// segment.
    pub path: Vec<Cow<'static, str>>,
    /// The query, in order, not yet encoded.
    pub query: Vec<(&'static str, Cow<'static, str>)>,
    /// Headers beyond `Host`, `X-Request-Id` and `traceparent`, among them the credential, which is
    /// never logged.
    pub headers: Vec<(&'static str, String)>,
    /// The body, if there is one, and its content type among the headers.
    pub body: Option<Bytes>,
    /// Whether it changes anything.
    pub kind: Kind,
    /// The most bytes that an answer may have, once unpacked.
    pub answer_limit: usize,
    /// For how long the answer of a read may serve others who ask the same on the same route; not at
    /// all if absent.
    pub remember: Option<Duration>,
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /{}", self.method, self.path.join("/"))
    }
}

/// What came back: any status, since what a status means is for each system to say. Redirects are
/// not followed.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, where it is readable text.
    pub content_type: Option<String>,
    /// `Location`, where it is readable text.
    pub location: Option<String>,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body, whole.
    pub body: Bytes,
    /// What the body takes of the node's budget: to be kept for as long as anything that was read
    /// from it. A remembered answer has a budget of its own.
    pub held: Option<Arc<HeldAnswer>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}
