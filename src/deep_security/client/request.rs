//! Requests to the vendor's API, without their credential.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;

use crate::deep_security::model::ObjectId;
use crate::outbound::Kind;

/// A request without its credential, so that it can be sent again with another one. Its body may
/// contain a password.
#[derive(Clone)]
pub struct ApiRequest {
    pub(super) method: &'static str,
    pub(super) path: Vec<Cow<'static, str>>,
    pub(super) query: Vec<(&'static str, Cow<'static, str>)>,
    pub(super) body: Option<Bytes>,
    pub(super) kind: Kind,
    pub(super) cache_ttl: Option<Duration>,
}

impl ApiRequest {
    /// Reads the resource at a path.
    pub fn get(path: impl IntoIterator<Item = PathSegment>) -> Self {
        Self::new("GET", path, None, Kind::Read)
    }

    /// Reads the key that the request is authenticated with.
    pub fn current_key() -> Self {
        Self::get(["apikeys".into(), "current".into()])
    }

    /// Searches a collection: a read, although the method is `POST`.
    pub fn search(collection: &'static str, filter: Bytes) -> Self {
        Self::new("POST", [collection.into(), "search".into()], Some(filter), Kind::Read)
    }

    /// Creates or changes a resource; the API has no `PUT`.
    pub fn post(path: impl IntoIterator<Item = PathSegment>, body: Option<Bytes>) -> Self {
        Self::new("POST", path, body, Kind::Write)
    }

    /// Deletes a resource.
    pub fn delete(path: impl IntoIterator<Item = PathSegment>) -> Self {
        Self::new("DELETE", path, None, Kind::Write)
    }

    /// Adds a query parameter, once for each value.
    pub fn with(mut self, name: &'static str, values: impl Iterator<Item = &'static str>) -> Self {
        self.query.extend(values.map(|value| (name, Cow::Borrowed(value))));
        self
    }

    /// Lets the response of this read be cached for that long; zero disables caching.
    pub fn cached_for(self, ttl: Duration) -> Self {
        Self { cache_ttl: Some(ttl).filter(|ttl| !ttl.is_zero()), ..self }
    }

    /// Whether the request changes anything.
    pub fn is_write(&self) -> bool {
        self.kind == Kind::Write
    }

    /// Whether the path contains the id of an object; other paths exist on every installation.
    pub(super) fn names_object(&self) -> bool {
        self.path.iter().any(|segment| matches!(segment, Cow::Owned(_)))
    }

    fn new(
        method: &'static str,
        path: impl IntoIterator<Item = PathSegment>,
        body: Option<Bytes>,
        kind: Kind,
    ) -> Self {
        let path = path.into_iter().map(|PathSegment(segment)| segment).collect();
        Self { method, path, query: Vec::new(), body, kind, cache_ttl: None }
    }
}

/// A segment of a path: a constant or a checked id, never a caller's text.
pub struct PathSegment(Cow<'static, str>);

impl From<&'static str> for PathSegment {
    fn from(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }
}

impl From<ObjectId> for PathSegment {
    fn from(ObjectId(id): ObjectId) -> Self {
        Self(Cow::Owned(id.to_string()))
    }
}
