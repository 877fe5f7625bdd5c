//! A legacy system that repeats the responses of the simulator, which makes each of them anew from
//! its objects: that takes more CPU time, and more of the caches, than the servers that are measured.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

/// The headers that carry credentials.
const CREDENTIALS: [&str; 2] = ["api-secret-key", "authorization"];

/// The recorded responses, and how many calls were made.
pub struct RecordedSystem {
    pub base_url: String,
    state: Arc<Recording>,
}

struct Recording {
    origin: String,
    http: reqwest::Client,
    answers: RwLock<HashMap<Call, Answer>>,
    calls: AtomicUsize,
}

/// Method, path, credential and body.
type Call = (Method, Uri, Vec<u8>, Bytes);
/// Status, content type and body.
type Answer = (StatusCode, HeaderValue, Bytes);

impl RecordedSystem {
    /// Starts a server that passes calls on to the simulator at that URL, equal reads only once.
    pub async fn start(base_url: &str) -> Self {
        let url: Uri = base_url.parse().expect("a URL");
        let origin = format!("http://{}", url.authority().expect("an address"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(Recording {
            origin,
            http: reqwest::Client::new(),
            answers: RwLock::default(),
            calls: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(answer).with_state(state.clone());
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("it is open"));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { base_url: format!("http://{address}{}", url.path()), state }
    }

    /// The number of calls since the last time.
    pub fn take_calls(&self) -> usize {
        self.state.calls.swap(0, Ordering::Relaxed)
    }
}

async fn answer(
    State(recording): State<Arc<Recording>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    recording.calls.fetch_add(1, Ordering::Relaxed);
    let is_read = method == Method::GET || uri.path().ends_with("/search");
    let key = CREDENTIALS.iter().find_map(|name| headers.get(*name));
    let key = key.map(|key| key.as_bytes().to_vec()).unwrap_or_default();
    let call = (method, uri, key, body);
    let known =
        recording.answers.read().unwrap_or_else(PoisonError::into_inner).get(&call).cloned();
    let (status, content_type, body) = match known {
        Some(answer) => answer,
        None => {
            let answer = recording.ask(&call, headers).await;
            if is_read && answer.0 == StatusCode::OK {
                let mut answers = recording.answers.write().unwrap_or_else(PoisonError::into_inner);
                answers.insert(call, answer.clone());
            }
            answer
        }
    };
    (status, [(CONTENT_TYPE, content_type)], body).into_response()
}

impl Recording {
    async fn ask(&self, (method, uri, _, body): &Call, headers: HeaderMap) -> Answer {
        let passed = ["api-version", "content-type"].into_iter().chain(CREDENTIALS);
        let passed = passed.filter_map(|name| Some((name, headers.get(name)?)));
        let url = format!("{}{uri}", self.origin);
        let call = self.http.request(method.clone(), url).body(body.clone());
        let call = passed.fold(call, |call, (name, value)| call.header(name, value));
        let answer = call.send().await.expect("the simulator answers");
        let status = answer.status();
        let content_type = answer.headers().get(CONTENT_TYPE).cloned();
        let content_type = content_type.unwrap_or(HeaderValue::from_static(""));
        (status, content_type, answer.bytes().await.expect("the simulator answers in full"))
    }
}
