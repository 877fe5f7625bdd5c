//! One connection to an installation. It has no task of its own: the call that uses it polls it, so
//! that no other task or thread is woken between a request and its response.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};

use super::connector::Stream;
use crate::eager_repoll::poll_until_idle;

/// The default of `hyper` is more than 400 kB per connection.
const READ_BUFFER: usize = 64 * 1024;

/// The request of a call.
pub(in crate::outbound) type HttpRequest = Request<Full<Bytes>>;

/// A connection that sends one request after the other.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Absent once it has ended.
    driver: Option<http1::Connection<Stream, Full<Bytes>>>,
}

impl Connection {
    /// A connection over a stream that nothing was sent on.
    ///
    /// # Errors
    /// None in practice: HTTP/1.1 has no handshake.
    pub async fn over(stream: Stream) -> hyper::Result<Self> {
        let (sender, driver) = http1::Builder::new()
            // Received bytes that no memory has been reserved for yet.
            .max_buf_size(READ_BUFFER)
            .handshake(stream)
            .await?;
        Ok(Self { sender, driver: Some(driver) })
    }

    /// Sends a request.
    ///
    /// # Errors
    /// With the request if nothing of it was sent.
    pub async fn send(
        &mut self,
        request: HttpRequest,
    ) -> Result<Response<Incoming>, Box<TrySendError<HttpRequest>>> {
        let response = self.sender.try_send_request(request);
        self.polled_with(response).await.map_err(Box::new)
    }

    /// Runs a future that needs the connection to be polled, such as one that reads its response.
    pub async fn polled_with<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_until_idle(poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            if polled.is_pending() {
                // The work is woken by what this brings for it.
                self.poll_driver(context);
            }
            polled
        }))
        .await
    }

    /// Whether another request can be sent. Nothing is waited for.
    pub fn is_ready(&mut self) -> bool {
        // No task is to be woken by a connection that no call uses.
        self.poll_driver(&mut Context::from_waker(Waker::noop()));
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Closes a connection that no call uses. TLS tells its peer so (RFC 8446, section 6.1), which it
    /// does not if the connection is only dropped.
    pub fn close(self) {
        let Self { sender, mut driver } = self;
        drop(sender);
        if let Some(driver) = &mut driver {
            // Without a sender this shuts the connection down. If the stream takes nothing, so be it.
            let _ = Pin::new(driver).poll(&mut Context::from_waker(Waker::noop()));
        }
    }

    fn poll_driver(&mut self, context: &mut Context<'_>) {
        // The error that ends a connection is that of its request or of its response's body.
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(_) = Pin::new(driver).poll(context)
        {
            self.driver = None;
        }
    }
}
