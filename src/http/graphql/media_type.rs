//! Negotiation of the response media type (GraphQL over HTTP, section 6.1; RFC 9110, section
//! 12.5.1).

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderValue};

use crate::http::json_reply::JSON;

/// A media type of responses that are one JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    /// `application/graphql-response+json`: the status shows whether anything was executed.
    GraphqlResponse,
    /// `application/json`: 200 for every well-formed request.
    Json,
}

/// The media types that the client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedMedia {
    /// The preferred JSON media type; absent if none is acceptable.
    pub media: Option<MediaType>,
    /// Whether `text/event-stream` is accepted by name.
    pub events: bool,
}

impl MediaType {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> HeaderValue {
        match self {
            Self::GraphqlResponse => {
                HeaderValue::from_static("application/graphql-response+json; charset=utf-8")
            }
            Self::Json => JSON,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }
}

/// Reads `Accept`. If it is absent or matches only by wildcards, the type is `application/json`.
pub fn accepted(headers: &HeaderMap) -> AcceptedMedia {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok());
    let ranges: Vec<_> = lines.flat_map(|line| line.split(',')).filter_map(range).collect();
    if ranges.is_empty() {
        return AcceptedMedia { media: Some(MediaType::Json), events: false };
    }
    let quality = |name: &str| {
        // The most specific matching range decides.
        let fitting = ranges
            .iter()
            .filter_map(|(range, quality)| Some((specificity(range, name)?, *quality)));
        fitting
            .max_by_key(|(specificity, _)| *specificity)
            .map(|(specificity, quality)| (quality, specificity))
    };
    // Of two with the same quality, the one that is named; of two that are named,
    // application/graphql-response+json, whose status says more.
    let of = |media: MediaType| {
        quality(media.name()).filter(|(quality, _)| *quality > 0).map(|rated| (rated, media))
    };
    let candidates = [
        of(MediaType::Json).map(|found| (found, 0)),
        of(MediaType::GraphqlResponse).map(|found| (found, 1)),
    ];
    let wild = |specificity: u8, rank: u8| if specificity < 2 { 1 - rank } else { rank };
    let best =
        candidates.into_iter().flatten().max_by_key(|(((quality, specificity), _), rank)| {
            (*quality, *specificity, wild(*specificity, *rank))
        });
    let events = quality("text/event-stream")
        .is_some_and(|(quality, specificity)| quality > 0 && specificity == 2);
    AcceptedMedia { media: best.map(|((_, media), _)| media), events }
}

/// A media range in lower case and its quality in thousandths; `None` if malformed.
fn range(text: &str) -> Option<(String, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| range.contains('/'))?.to_ascii_lowercase();
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some((range, quality.map_or(Some(1000), thousandths)?))
}

fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if !["0", "1"].contains(&whole)
        || rest.len() > 3
        || !rest.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let thousandths = format!("{whole}{rest:0<3}").parse().ok()?;
    (thousandths <= 1000).then_some(thousandths)
}

fn specificity(range: &str, name: &str) -> Option<u8> {
    match range.strip_suffix('*') {
        Some("*/") => Some(0),
        Some(kind) if kind.ends_with('/') && name.starts_with(kind) => Some(1),
        _ => (range == name).then_some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        accepted(&headers).media
    }

    #[test]
    fn json_is_the_default() {
        assert_eq!(accepted(&HeaderMap::new()).media, Some(MediaType::Json));
        for wildcard in ["*/*", "application/*", "text/html, */*;q=0.1", "", "garbage"] {
            assert_eq!(media(wildcard), Some(MediaType::Json), "{wildcard}");
        }
    }

    #[test]
    fn highest_quality_wins() {
        let new = Some(MediaType::GraphqlResponse);
        for accept in [
            "application/graphql-response+json",
            "application/graphql-response+json; charset=utf-8, application/json;q=0.9",
            "application/json, application/graphql-response+json",
            "application/json;q=0.5, Application/GraphQL-Response+JSON;q=0.6",
            "*/*, application/graphql-response+json",
            "application/*, application/json;q=0.2",
        ] {
            assert_eq!(media(accept), new, "{accept}");
        }
        for accept in [
            "application/json",
            "application/graphql-response+json;q=0.9, application/json",
            "application/graphql-response+json;q=0, */*",
            "application/json; q=0.001, text/html",
        ] {
            assert_eq!(media(accept), Some(MediaType::Json), "{accept}");
        }
        for accept in ["text/html", "application/json;q=0", "text/event-stream", "image/*"] {
            assert_eq!(media(accept), None, "{accept}");
        }
    }

    #[test]
    fn event_stream_must_be_named() {
        let events = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            accepted(&headers).events
        };
        assert!(events("text/event-stream") && events("application/json, text/event-stream;q=0.1"));
        assert!(!events("*/*") && !events("text/*") && !events("text/event-stream;q=0"));
    }
}
