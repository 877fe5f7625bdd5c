//! Sends an answer as an HTTP response, whole, in half or slowly.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::response::Response;
use http_body::Frame;
use tokio::time::{Sleep, sleep};

use crate::answer::{Answer, Body, ListChunks};

/// How an answer is sent.
#[derive(Clone, Copy)]
pub(crate) enum Delivery {
    Whole,
    /// Half of the body, then the connection is aborted.
    Half,
    /// In chunks, with a pause after each.
    Drip {
        bytes: usize,
        pause: Duration,
    },
}

/// Lets the sent bytes leave before the connection is aborted.
const ABORT_DELAY: Duration = Duration::from_millis(20);

/// The HTTP response of an answer.
pub(crate) fn deliver(answer: Answer, delivery: Delivery) -> Response {
    let mut response = Response::builder().status(answer.status);
    if !matches!(answer.body, Body::Empty) && !answer.content_type.is_empty() {
        response = response.header("content-type", answer.content_type.as_ref());
    }
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = match delivery {
        Delivery::Whole => whole(answer.body),
        Delivery::Half => {
            let mut bytes = answer.body.into_bytes();
            response = response.header("content-length", bytes.len());
            bytes.truncate(bytes.len() / 2);
            HttpBody::new(Stream::of([bytes].into_iter(), Some(ABORT_DELAY), true))
        }
        Delivery::Drip { bytes: size, pause } => {
            let bytes = answer.body.into_bytes();
            response = response.header("content-length", bytes.len());
            let chunks: Vec<Vec<u8>> = bytes.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
            HttpBody::new(Stream::of(chunks.into_iter(), Some(pause), false))
        }
    };
    response.body(body).expect("headers of this crate are printable")
}

fn whole(body: Body) -> HttpBody {
    match body {
        Body::Empty => HttpBody::empty(),
        Body::Bytes(bytes) => HttpBody::from(bytes),
        Body::List { syntax, items } => {
            HttpBody::new(Stream::of(ListChunks::new(syntax, items), None, false))
        }
    }
}

/// A body sent in chunks, optionally with a pause after each and aborted at its end.
struct Stream {
    chunks: Box<dyn Iterator<Item = Vec<u8>> + Send>,
    pause: Option<Duration>,
    pausing: Option<Pin<Box<Sleep>>>,
    aborts: bool,
}

impl Stream {
    fn of(
        chunks: impl Iterator<Item = Vec<u8>> + Send + 'static,
        pause: Option<Duration>,
        aborts: bool,
    ) -> Self {
        Self { chunks: Box::new(chunks), pause, pausing: None, aborts }
    }
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if let Some(pausing) = &mut this.pausing {
            ready!(pausing.as_mut().poll(cx));
            this.pausing = None;
        }
        let Some(chunk) = this.chunks.next() else {
            let aborts = std::mem::take(&mut this.aborts);
            return Poll::Ready(aborts.then(|| Err(io::ErrorKind::ConnectionAborted.into())));
        };
        this.pausing = this.pause.map(|pause| Box::pin(sleep(pause)));
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }
}
