use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::Frame;

use super::*;

/// A body that knows its end, as one with `Content-Length` does, and panics when it is polled
/// after that. It counts how many of its chunks are still alive.
struct Chunks {
    left: VecDeque<&'static str>,
    held: Arc<()>,
}

struct Chunk {
    text: &'static str,
    _held: Arc<()>,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = self.left.pop_front().expect("the body was polled after its end");
        assert_eq!(Arc::strong_count(&self.held), 1, "an earlier chunk is still alive");
        let chunk = Chunk { text, _held: self.held.clone() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(chunk)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }
}

#[tokio::test]
async fn body_is_not_polled_after_its_last_byte() {
    for chunks in [&[][..], &["whole"], &["in ", "three ", "parts"]] {
        let body = Chunks { left: chunks.iter().copied().collect(), held: Arc::default() };
        let pool = crate::budget::Pool::new("upstream_answers", 1024 * 1024);
        let mut held = AnswerBudget::of_tests(&pool).hold(None).await.unwrap();
        let read = whole(body, 1024, &mut held).await.unwrap();
        assert_eq!(read, chunks.concat());
        assert_eq!(pool.figures().in_use, read.len());
    }
}
