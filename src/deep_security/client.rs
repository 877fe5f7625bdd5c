//! One call of the vendor's API, and what its answer means.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeSeed;

use super::model::ObjectId;
use super::wire::{self, Objects, Projection, Resource, SecretKey};
use crate::error::{Error, ErrorCode, Result, UpstreamDetail};
use crate::outbound::{Answer, Call, HeldAnswer, Kind, Operation, Outbound, UpstreamRoute};
use crate::upstreams::Credential;

/// The most bytes of an answer.
const ANSWER_LIMIT: usize = 32 * 1024 * 1024;

/// From how many bytes an answer takes longer to read than other callers should wait.
const LONG: usize = 256 * 1024;

/// A call without its credential, so that it can be made again with another. Its body may hold a
/// password.
#[derive(Clone)]
pub struct Request {
    method: &'static str,
    path: Vec<Cow<'static, str>>,
    query: Vec<(&'static str, Cow<'static, str>)>,
    body: Option<Bytes>,
    kind: Kind,
    cached_for: Option<Duration>,
}

impl Request {
    /// Reads one object, or whatever stands at that path.
    pub fn get(path: impl IntoIterator<Item = Segment>) -> Self {
        Self::new("GET", path, None, Kind::Read)
    }

    /// Searches a collection: a read, though it is a `POST`.
    pub fn search(collection: &'static str, filter: Bytes) -> Self {
        Self::new("POST", [collection.into(), "search".into()], Some(filter), Kind::Read)
    }

    /// Makes something, or changes it: there is no `PUT` in this API.
    pub fn post(path: impl IntoIterator<Item = Segment>, body: Option<Bytes>) -> Self {
        Self::new("POST", path, body, Kind::Write)
    }

    /// Deletes something.
    pub fn delete(path: impl IntoIterator<Item = Segment>) -> Self {
        Self::new("DELETE", path, None, Kind::Write)
    }

    /// The same call with a parameter more, which may stand there several times.
    pub fn with(mut self, name: &'static str, values: impl Iterator<Item = &'static str>) -> Self {
        self.query.extend(values.map(|value| (name, Cow::Borrowed(value))));
        self
    }

    /// The same read, whose answer may serve again for so long; not at all if that is zero.
    pub fn cached_for(self, ttl: Duration) -> Self {
        Self { cached_for: Some(ttl).filter(|ttl| !ttl.is_zero()), ..self }
    }

    /// Whether its path leads to one object, rather than to what every installation has.
    fn names_object(&self) -> bool {
        self.path.iter().any(|segment| matches!(segment, Cow::Owned(_)))
    }

    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        self.kind == Kind::Write
    }

    fn new(
        method: &'static str,
        path: impl IntoIterator<Item = Segment>,
        body: Option<Bytes>,
        kind: Kind,
    ) -> Self {
        let path = path.into_iter().map(|Segment(segment)| segment).collect();
        Self { method, path, query: Vec::new(), body, kind, cached_for: None }
    }
}

/// A segment of a path: a word of ours or an id that was checked, never text of a caller.
pub struct Segment(Cow<'static, str>);

impl From<&'static str> for Segment {
    fn from(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }
}

impl From<ObjectId> for Segment {
    fn from(ObjectId(id): ObjectId) -> Self {
        Self(Cow::Owned(id.to_string()))
    }
}

/// The headers by which the gateway shows who it is.
pub struct AuthHeaders(Vec<(&'static str, String)>);

impl AuthHeaders {
    /// An API key of Deep Security.
    pub fn secret_key(key: &SecretKey) -> Self {
        Self(vec![("api-secret-key", key.expose().to_owned())])
    }

    /// A session, which needs both.
    pub fn session(id: &str, rid: &str) -> Self {
        Self(vec![("cookie", format!("sID={id}")), ("rID", rid.to_owned())])
    }

    /// Nothing: for signing in.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// An installation's own credential.
    ///
    /// # Errors
    /// If it is of another kind of system, which the room of the upstreams does not let in.
    pub fn own(credential: &Credential) -> Result<Self> {
        match credential {
            Credential::SecretKey(key) => Ok(Self(vec![("api-secret-key", key.clone())])),
            Credential::CloudOneApiKey(key) => {
                Ok(Self(vec![("authorization", format!("ApiKey {key}"))]))
            }
            Credential::Basic { .. } => {
                Err(Error::internal("a credential of another kind of system"))
            }
        }
    }
}

/// Why there is nothing to read.
#[derive(Debug)]
pub enum CallError {
    /// 401 or 403: the credential is no longer good, or its role lacks the right. Nothing was done.
    /// No source says which of the two statuses means what (`docs/reference/deep-security-api.md`,
    /// section 4).
    Credential(u16),
    /// Anything else.
    Other(Error),
}

/// What came back.
#[derive(Clone)]
pub struct Reply {
    /// The body of a success.
    pub body: Bytes,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// What the body takes of the node's memory, to be kept beside a list that was read from it.
    pub held: Option<Arc<HeldAnswer>>,
}

/// Makes a call.
///
/// # Errors
/// [`CallError`], without any text of the vendor's.
pub async fn send(
    outbound: &Outbound,
    operation: &Operation,
    route: &UpstreamRoute,
    auth: &AuthHeaders,
    request: &Request,
) -> Result<Reply, CallError> {
    let wrote = request.writes();
    let mut headers =
        vec![("api-version", "v1".to_owned()), ("accept", "application/json".to_owned())];
    if request.body.is_some() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    headers.extend(auth.0.iter().cloned());
    let call = Call {
        method: request.method,
        path: request.path.clone(),
        query: request.query.clone(),
        headers,
        body: request.body.clone(),
        kind: request.kind,
        answer_limit: ANSWER_LIMIT,
        cache_ttl: request.cached_for,
    };
    let answer = outbound.send(operation, route, call).await;
    let answer = answer.map_err(|failure| CallError::Other(failure.into_error(route, wrote)))?;
    match answer.status {
        200..=299 => Ok(Reply { body: answer.body, cookies: answer.cookies, held: answer.held }),
        status @ (401 | 403) => Err(CallError::Credential(status)),
        status if is_elsewhere(request, &answer) => {
            outbound.note_malformed(route);
            Err(CallError::Other(elsewhere(route, status)))
        }
        status => Err(CallError::Other(refusal(route, status, wrote))),
    }
}

/// Whether an answer shows that the base URL leads to something else than the API: a redirect; a
/// page in HTML where the API says in JSON that it has no such object; nothing at a path that every
/// installation has.
fn is_elsewhere(request: &Request, answer: &Answer) -> bool {
    match answer.status {
        300..=399 => true,
        404 | 405 => is_html(answer) || !request.names_object() && !request.writes(),
        _ => false,
    }
}

fn is_html(answer: &Answer) -> bool {
    answer
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// The error of an installation whose base URL leads to something else.
fn elsewhere(route: &UpstreamRoute, status: u16) -> Error {
    let message = "the Deep Security API does not answer at the upstream's base URL, which has to end with /api";
    with_upstream(Error::new(ErrorCode::UpstreamMalformed, message), route, Some(status))
}

/// What a status means for the caller.
fn refusal(route: &UpstreamRoute, status: u16, wrote: bool) -> Error {
    let error = match status {
        404 => Error::not_found("object in Deep Security"),
        400..=499 if status != 408 && status != 429 => {
            Error::new(ErrorCode::UpstreamRejected, "Deep Security refused what was asked")
        }
        // Not RATE_LIMITED: that is ours, and says after how many seconds to come back, which the
        // vendor does not tell. Others spend the same allowance.
        429 => Error::new(
            ErrorCode::UpstreamUnavailable,
            "Deep Security takes no more calls for the moment",
        ),
        _ => Error::new(ErrorCode::UpstreamUnavailable, "Deep Security is in trouble"),
    };
    let error = with_upstream(error, route, Some(status));
    // What is in trouble may have done it before.
    if wrote && status >= 500 { error.with_unknown_outcome() } else { error }
}

/// The error of a credential that the operator of the installation has to renew, or to give more
/// rights.
pub fn unauthorized(route: &UpstreamRoute, status: u16) -> Error {
    let message = "Deep Security refused the gateway's own credentials";
    with_upstream(Error::new(ErrorCode::UpstreamUnauthorized, message), route, Some(status))
}

/// The error of a key that is good, and of a role that lacks the right.
pub fn lacks_right(route: &UpstreamRoute, status: u16) -> Error {
    let message = "the role with which the gateway works in Deep Security lacks the right";
    with_upstream(Error::new(ErrorCode::UpstreamRejected, message), route, Some(status))
}

/// The error of a link that names a tenant which the installation does not have.
pub fn no_such_tenant(route: &UpstreamRoute, id: ObjectId) -> Error {
    let message = format!(
        "Deep Security has no tenant {}: the link's remoteTenantID is wrong, \
         or the tenant was deleted there",
        id.0
    );
    with_upstream(Error::new(ErrorCode::NotFound, message), route, Some(404))
}

/// The error of an answer that is not what the reference says.
pub fn malformed(route: &UpstreamRoute, cause: String) -> Error {
    let error = Error::new(
        ErrorCode::UpstreamMalformed,
        "Deep Security gave an answer that cannot be understood",
    );
    with_upstream(error.because(cause), route, Some(200))
}

/// The same error, with the system and the tenant that it belongs to.
pub fn with_upstream(error: Error, route: &UpstreamRoute, status: Option<u16>) -> Error {
    let detail = UpstreamDetail { system: route.endpoint.system, status, code: None };
    error.of_upstream(detail).of_tenant(route.tenant)
}

impl Reply {
    /// Reads the body.
    ///
    /// # Errors
    /// `UPSTREAM_MALFORMED`. After a write its outcome counts as unknown: it was accepted, and
    /// nobody can say what it made.
    pub fn read<'a, T: Deserialize<'a>>(&'a self, route: &UpstreamRoute, wrote: bool) -> Result<T> {
        self.read_by(route, wrote, PhantomData)
    }

    /// Reads a list of at most so many objects, with these members alone. A long one is read on a
    /// thread of its own: those that serve all callers must not be busy with one of them for that
    /// long.
    ///
    /// # Errors
    /// As [`Reply::read`].
    pub async fn read_list<T: Resource>(
        &self,
        outbound: &Outbound,
        route: &UpstreamRoute,
        members: Option<&Projection>,
        at_most: usize,
    ) -> Result<Vec<T>> {
        if self.body.len() < LONG {
            return self.read_by(route, false, Objects::<T>::with(members).at_most(at_most));
        }
        let permit = outbound.parsing_permit().await;
        let reply = self.clone();
        let route = route.clone();
        let members = members.cloned();
        let read = move || {
            let list =
                reply.read_by(&route, false, Objects::<T>::with(members.as_ref()).at_most(at_most));
            drop(permit);
            list
        };
        tokio::task::spawn_blocking(read).await.map_err(Error::internal)?
    }

    /// The same, in the way that the seed knows.
    ///
    /// # Errors
    /// As [`Reply::read`].
    pub fn read_by<'a, S: DeserializeSeed<'a>>(
        &'a self,
        route: &UpstreamRoute,
        wrote: bool,
        seed: S,
    ) -> Result<S::Value> {
        let (read, odd) = wire::counting_odd(|| wire::read(&self.body, seed));
        if odd > 0 {
            let upstream = route.endpoint.upstream;
            tracing::warn!(%upstream, tenant = %route.tenant, odd, "optional values of another form were read as null");
        }
        read.map_err(|cause| {
            let error = malformed(route, cause);
            if wrote { error.with_unknown_outcome() } else { error }
        })
    }
}

impl CallError {
    /// The error of a call that was made with the installation's own credential.
    pub fn of_own_credential(self, route: &UpstreamRoute) -> Error {
        match self {
            Self::Credential(status) => unauthorized(route, status),
            Self::Other(error) => error,
        }
    }
}
