//! A stand-in of an OpenTelemetry collector, which reads OTLP with the messages of the
//! specification.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span as SentSpan;
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{eventually, notes};

/// The collector's reaction to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Takes the spans.
    Accept,
    /// Answers with a status that is not retried.
    Refuse,
    /// Never answers.
    Hang,
}

/// A span that was received.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub kind: i32,
    pub trace: String,
    pub id: String,
    /// Empty for a root.
    pub parent: String,
    pub state: String,
    pub attributes: BTreeMap<String, String>,
    pub is_error: bool,
    pub resource: BTreeMap<String, String>,
}

impl Span {
    /// An attribute as text; empty if it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    pub fn is_child_of(&self, parent: &Self) -> bool {
        self.trace == parent.trace && self.parent == parent.id
    }
}

struct Received {
    mood: Mutex<Mood>,
    requests: AtomicUsize,
    headers: Mutex<HeaderMap>,
    spans: Mutex<Vec<Span>>,
    bytes: Mutex<Vec<u8>>,
    /// Searched for secrets with the logs.
    log: Mutex<File>,
}

/// A collector at a local address.
pub struct Collector {
    pub url: String,
    received: Arc<Received>,
    served: JoinHandle<()>,
}

impl Collector {
    pub async fn start(mood: Mood) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let log = format!("it-collector-{}-{number}.log", std::process::id());
        let log = OpenOptions::new().create(true).append(true).open(notes::folder().join(log));
        let received = Arc::new(Received {
            mood: Mutex::new(mood),
            requests: AtomicUsize::new(0),
            headers: Mutex::default(),
            spans: Mutex::default(),
            bytes: Mutex::default(),
            log: Mutex::new(log.expect("the log opens")),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(received.clone());
        let served = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, served }
    }

    /// The variables of a gateway that exports to it, each span at once.
    pub fn variables(&self) -> [(&str, &str); 2] {
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &self.url), ("OTEL_BSP_SCHEDULE_DELAY", "20")]
    }

    pub fn set_mood(&self, mood: Mood) {
        *self.received.mood.lock().unwrap() = mood;
    }

    /// The number of requests, whatever became of them.
    pub fn requests(&self) -> usize {
        self.received.requests.load(Ordering::SeqCst)
    }

    /// The headers of the last request.
    pub fn headers(&self) -> HeaderMap {
        self.received.headers.lock().unwrap().clone()
    }

    /// All bytes of all requests.
    pub fn bytes(&self) -> Vec<u8> {
        self.received.bytes.lock().unwrap().clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        self.received.spans.lock().unwrap().clone()
    }

    /// Waits for a span that fits.
    pub async fn span(&self, what: &str, fits: impl Fn(&Span) -> bool) -> Span {
        eventually(20, what, async || self.spans().into_iter().find(|span| fits(span))).await
    }

    /// Waits for a span with that name.
    pub async fn named(&self, name: &str) -> Span {
        self.span(name, |span| span.name == name).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn take(
    State(received): State<Arc<Received>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    received.requests.fetch_add(1, Ordering::SeqCst);
    let mood = *received.mood.lock().unwrap();
    match mood {
        Mood::Accept => {}
        Mood::Refuse => return StatusCode::FORBIDDEN,
        Mood::Hang => std::future::pending().await,
    }
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let body = match headers.get("content-encoding") {
        Some(coding) => unpacked(coding, &body),
        None => body.to_vec(),
    };
    let message = ExportTraceServiceRequest::decode(&*body).expect("a message of OTLP");
    received.log.lock().unwrap().write_all(&body).unwrap();
    received.bytes.lock().unwrap().extend_from_slice(&body);
    *received.headers.lock().unwrap() = headers;
    let mut spans = received.spans.lock().unwrap();
    for of_resource in message.resource_spans {
        let resource = of_resource.resource.map(|resource| attributes(resource.attributes));
        let resource = resource.unwrap_or_default();
        let sent = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(sent.map(|span| read(span, &resource)));
    }
    StatusCode::OK
}

fn unpacked(coding: &HeaderValue, body: &[u8]) -> Vec<u8> {
    assert_eq!(coding, "gzip");
    let mut whole = Vec::new();
    GzDecoder::new(body).read_to_end(&mut whole).expect("gzip");
    whole
}

fn read(span: SentSpan, resource: &BTreeMap<String, String>) -> Span {
    assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    Span {
        name: span.name,
        kind: span.kind,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        state: span.trace_state,
        attributes: attributes(span.attributes),
        is_error: span.status.is_some_and(|status| status.code == 2),
        resource: resource.clone(),
    }
}

fn attributes(given: Vec<KeyValue>) -> BTreeMap<String, String> {
    given.into_iter().map(|one| (one.key, text(one.value))).collect()
}

fn text(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        other => panic!("no attribute of ours has such a value: {other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
