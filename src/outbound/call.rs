//! One call of an upstream and its answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::limits::HeldAnswer;
use super::readings::Readings;

/// Whether a call changes anything in the upstream system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing, whatever its method: it may be retried, shared with concurrent callers
    /// of the same read, and cached.
    Read,
    /// It may change something: it is sent at most once.
    Write,
}

/// A call of an upstream. `Debug` prints only method and path, because headers and bodies may
/// contain secrets.
pub struct Call {
    /// `GET`, `POST` or `DELETE`.
    pub method: &'static str,
    /// The path segments below the base URL, not yet encoded; each is percent-encoded as one
    /// segment. Traces show borrowed ones, which are constants, and hide owned ones.
    pub path: Vec<Cow<'static, str>>,
    /// The query parameters in order, not yet encoded.
    pub query: Vec<(&'static str, Cow<'static, str>)>,
    /// Headers besides `Host`, `X-Request-Id` and `traceparent`, including the credential. They are
    /// never logged.
    pub headers: Vec<(&'static str, String)>,
    /// The body, if any; its content type is among the headers.
    pub body: Option<Bytes>,
    /// Whether the call changes anything.
    pub kind: Kind,
    /// The maximum length of the answer's body, in bytes.
    pub answer_limit: usize,
    /// How long the answer of a read may be served from the cache to callers of the same read on
    /// the same route; not cached if absent.
    pub cache_ttl: Option<Duration>,
}

impl Call {
    /// The path without the segments that are data, `{}` in the place of each: only constants are
    /// borrowed for ever.
    pub(super) fn path_template(&self) -> String {
        let segment = |segment: &Cow<'static, str>| match segment {
            Cow::Borrowed(constant) => format!("/{constant}"),
            Cow::Owned(_) => "/{}".to_owned(),
        };
        self.path.iter().map(segment).collect()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} /{}", self.method, self.path.join("/"))
    }
}

/// An answer of any status, because each system decides what a status means. Redirects are not
/// followed.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`, if it is readable text.
    pub content_type: Option<String>,
    /// `Location`, if it is readable text.
    pub location: Option<String>,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The whole body.
    pub body: Bytes,
    /// The share of the node's memory budget that the body takes: keep it as long as any value read
    /// from the body. Cached answers have a budget of their own.
    pub held: Option<Arc<HeldAnswer>>,
    /// Values that the callers who share the answer have read from the body.
    pub readings: Readings,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}
