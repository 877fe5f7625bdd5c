//! From an answer to an HTTP response, whole or corrupted as a fault orders.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes};
use axum::response::Response;
use http_body::Frame;
use tokio::time::{Sleep, sleep};

use crate::answer::{Answer, Body, Pieces};
use crate::faults::Delivery;

/// Long enough for what was sent to leave before the connection breaks off.
const BEFORE_THE_CUT: Duration = Duration::from_millis(20);

/// The response that carries `answer` in that delivery.
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
            HttpBody::new(Stream::of([bytes].into_iter(), Some(BEFORE_THE_CUT), true))
        }
        Delivery::Drip { bytes: size, pause } => {
            let bytes = answer.body.into_bytes();
            response = response.header("content-length", bytes.len());
            let drops: Vec<Vec<u8>> = bytes.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
            HttpBody::new(Stream::of(drops.into_iter(), Some(pause), false))
        }
    };
    response.body(body).expect("headers of this crate are printable")
}

fn whole(body: Body) -> HttpBody {
    match body {
        Body::Empty => HttpBody::empty(),
        Body::Text(text) => HttpBody::from(text),
        Body::Many { around, items } => {
            HttpBody::new(Stream::of(Pieces::of(around, items), None, false))
        }
    }
}

/// A body made piece by piece, perhaps with a pause after each, perhaps broken off at its end.
struct Stream {
    pieces: Box<dyn Iterator<Item = Vec<u8>> + Send>,
    pause: Option<Duration>,
    pausing: Option<Pin<Box<Sleep>>>,
    cut: bool,
}

impl Stream {
    fn of(
        pieces: impl Iterator<Item = Vec<u8>> + Send + 'static,
        pause: Option<Duration>,
        cut: bool,
    ) -> Self {
        Self { pieces: Box::new(pieces), pause, pausing: None, cut }
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
        let Some(piece) = this.pieces.next() else {
            let cut = std::mem::take(&mut this.cut);
            return Poll::Ready(cut.then(|| Err(io::ErrorKind::ConnectionAborted.into())));
        };
        this.pausing = this.pause.map(|pause| Box::pin(sleep(pause)));
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }
}
