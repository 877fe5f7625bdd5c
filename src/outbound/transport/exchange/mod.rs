//! One HTTP request and its response.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::client::Client;
use super::connection::HttpRequest;
use super::hyper_failure::of_hyper;
use crate::clock::Timestamp;
use crate::outbound::call::{Answer, Call};
use crate::outbound::failure::Failure;
use crate::outbound::limits::{AnswerBudget, HeldAnswer};
use crate::outbound::readings::Readings;
use crate::outbound::route::Endpoint;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The number of headers that every request has: these two, `Accept-Encoding` and `Host`.
const OWN_HEADERS: usize = 4;
const TOO_LONG: &str = "the response exceeds the length limit";
/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A buffer that exceeds its answer by less than this fraction, one part in eight, is kept.
const MAX_WASTE: usize = 8;

/// An answer and the headers that concern the gateway itself.
pub(in crate::outbound) struct Reply {
    pub answer: Answer,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The upstream's `X-Request-Id`.
    pub request_id: Option<String>,
}

/// Encodes a call as HTTP.
///
/// # Errors
/// `InvalidRequest` for a path that would leave the base URL, or an invalid header.
pub(in crate::outbound) fn request(
    endpoint: &Endpoint,
    call: &Call,
    request_id: &str,
) -> Result<HttpRequest, Failure> {
    let invalid = |what: &str| Failure::InvalidRequest(what.into());
    let mut request = Request::new(Full::new(call.body.clone().unwrap_or_default()));
    *request.method_mut() = call.method.parse().map_err(|_| invalid("method"))?;
    *request.uri_mut() = uri(endpoint, call).ok_or_else(|| invalid("path"))?;
    let headers = request.headers_mut();
    headers.reserve(call.headers.len() + OWN_HEADERS);
    for (name, value) in &call.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("header name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| invalid("header value"))?;
        headers.append(name, value);
    }
    // Refuse compressed bodies: a decompression bomb could expand without bound.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(X_REQUEST_ID, request_id.parse().map_err(|_| invalid("request id"))?);
    Ok(request)
}

/// Sends a request and reads the response, of at most `limit` bytes. `traceparent` is the header of
/// W3C Trace Context.
///
/// # Errors
/// `Unreachable`, `ConnectionLost`, `Malformed` and `NoRoom`.
pub(in crate::outbound) async fn exchange(
    client: &Client,
    mut request: HttpRequest,
    traceparent: &str,
    limit: usize,
    now: Timestamp,
    budget: &AnswerBudget,
) -> Result<Reply, Failure> {
    let traceparent = HeaderValue::from_str(traceparent)
        .expect("a trace context is hexadecimal digits and hyphens");
    request.headers_mut().insert(TRACEPARENT, traceparent);
    client.call(request, async |response| read(response, limit, now, budget).await).await
}

async fn read(
    response: Response<Incoming>,
    limit: usize,
    now: Timestamp,
    budget: &AnswerBudget,
) -> Result<Reply, Failure> {
    let (head, body) = response.into_parts();
    let encoding = head.headers.get(header::CONTENT_ENCODING);
    let encoding =
        encoding.filter(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if let Some(encoding) = encoding {
        let encoding = String::from_utf8_lossy(encoding.as_bytes());
        let encoding: String = encoding.chars().take(40).collect();
        return Err(Failure::Malformed(
            format!("the response has Content-Encoding {encoding}; identity was requested").into(),
        ));
    }
    let exact = body.size_hint().exact();
    let length = exact.map(|exact| usize::try_from(exact).unwrap_or(usize::MAX));
    if length.is_some_and(|length| length > limit) {
        return Err(Failure::Malformed(TOO_LONG.into()));
    }
    let mut held = budget.hold(length).await?;
    let body = Limited::new(body, limit);
    let body = whole(body, limit, &mut held).await?;
    let mut reply = reply(Response::from_parts(head, body), now);
    reply.answer.held = Some(Arc::new(held));
    Ok(reply)
}

/// Reads a whole body. A body of known length is not polled again after its last byte: the connection
/// would be polled once more for nothing.
async fn whole<B>(mut body: B, limit: usize, held: &mut HeldAnswer) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    let mut whole = Vec::with_capacity(held.bytes());
    while !body.is_end_stream()
        && let Some(frame) =
            body.frame().await.transpose().map_err(|error| of_body(&*error.into()))?
    {
        let data = frame.into_data().unwrap_or_default();
        let needed = whole.len() + data.len();
        if needed > held.bytes() {
            // Double the reservation, up to the length limit.
            let next = needed.max(2 * held.bytes()).min(limit.max(needed));
            held.grow(next - held.bytes()).await?;
            whole.reserve_exact(next - whole.len());
        }
        // Copy each chunk at once: it keeps its whole read buffer alive, and the upstream decides
        // how small the chunks are.
        whole.extend_from_slice(&data);
    }
    // Shrinking copies the whole buffer: only if much of it is unused.
    if whole.capacity() - whole.len() > whole.len() / MAX_WASTE {
        whole.shrink_to_fit();
    }
    held.shrink_to(whole.capacity());
    Ok(whole.into())
}

/// The URI of a call; `None` if a segment is `.` or `..`, or if the URI is too long.
fn uri(endpoint: &Endpoint, call: &Call) -> Option<Uri> {
    let mut text = endpoint.base_url.as_str().to_owned();
    for segment in &call.path {
        if segment == "." || segment == ".." {
            return None;
        }
        write!(text, "/{}", utf8_percent_encode(segment, ENCODED)).ok()?;
    }
    let mut sign = '?';
    for (name, value) in &call.query {
        write!(
            text,
            "{sign}{}={}",
            utf8_percent_encode(name, ENCODED),
            utf8_percent_encode(value, ENCODED)
        )
        .ok()?;
        sign = '&';
    }
    Uri::try_from(text).ok()
}

fn reply(response: Response<Bytes>, now: Timestamp) -> Reply {
    let headers = response.headers();
    let text = |name: HeaderName| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    Reply {
        answer: Answer {
            status: response.status().as_u16(),
            content_type: text(header::CONTENT_TYPE),
            location: text(header::LOCATION),
            cookies: cookies.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect(),
            body: response.body().clone(),
            held: None,
            readings: Readings::default(),
        },
        retry_after: text(header::RETRY_AFTER).and_then(|text| retry_after(&text, now)),
        request_id: text(X_REQUEST_ID),
    }
}

/// Parses `Retry-After`: seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_millis(moment.timestamp().as_millisecond()).since(now))
}

fn of_body(error: &(dyn std::error::Error + 'static)) -> Failure {
    if error.is::<LengthLimitError>() {
        Failure::Malformed(TOO_LONG.into())
    } else {
        of_hyper(error)
    }
}

#[cfg(test)]
mod tests;
