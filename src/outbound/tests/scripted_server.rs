//! An HTTP server that follows a test's script and records its requests.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The reaction to a request.
pub enum Act {
    /// Answers with these bytes and keeps the connection open.
    Say(Vec<u8>),
    /// Sends these bytes, if any, and closes the connection.
    SayAndClose(Vec<u8>),
    /// Answers when [`ScriptedServer::go`] is called.
    SayLater(Vec<u8>),
    /// Never answers.
    Hang,
    /// Answers without end.
    Flood,
}

/// Status 200 with this body.
pub fn ok(body: &str) -> Act {
    answer(200, "", body)
}

/// Any status with further headers, each ended by CR LF.
pub fn answer(status: u16, headers: &str, body: &str) -> Act {
    Act::Say(bytes(status, headers, body))
}

pub fn bytes(status: u16, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}

type Script = dyn Fn(usize, &str) -> Act + Send + Sync;

struct State {
    script: Box<Script>,
    seen: Mutex<Vec<String>>,
    connections: AtomicUsize,
    closed: AtomicUsize,
    torn: AtomicUsize,
    written: AtomicUsize,
    go: Notify,
}

pub struct ScriptedServer {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    /// Starts a server. The script gets the number of earlier requests and the whole request.
    pub async fn start(script: impl Fn(usize, &str) -> Act + Send + Sync + 'static) -> Self {
        Self::listen(script, None).await
    }

    /// The same behind TLS.
    pub async fn start_tls(
        script: impl Fn(usize, &str) -> Act + Send + Sync + 'static,
        tls: TlsAcceptor,
    ) -> Self {
        Self::listen(script, Some(tls)).await
    }

    async fn listen(
        script: impl Fn(usize, &str) -> Act + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            script: Box::new(script),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            closed: AtomicUsize::new(0),
            torn: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            go: Notify::new(),
        });
        let serving = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serving.connections.fetch_add(1, Ordering::SeqCst);
                let state = serving.clone();
                let tls = tls.clone();
                tokio::spawn(async move {
                    let served = match tls {
                        Some(tls) => state.serve(tls.accept(stream).await?).await,
                        None => state.serve(stream).await,
                    };
                    state.torn.fetch_add(usize::from(served.is_err()), Ordering::SeqCst);
                    state.closed.fetch_add(1, Ordering::SeqCst);
                    served
                });
            }
        });
        Self { address, state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests in their order.
    pub fn seen(&self) -> Vec<String> {
        self.state.seen.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.state.seen.lock().unwrap().len()
    }

    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// The number of connections that either side has closed.
    pub fn closed(&self) -> usize {
        self.state.closed.load(Ordering::SeqCst)
    }

    /// The number of those that did not end as their protocol wants.
    pub fn torn(&self) -> usize {
        self.state.torn.load(Ordering::SeqCst)
    }

    /// The number of bytes of a flood that were sent.
    pub fn written(&self) -> usize {
        self.state.written.load(Ordering::SeqCst)
    }

    /// Sends all delayed answers.
    pub fn go(&self) {
        self.state.go.notify_waiters();
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S) -> io::Result<()> {
        let mut read = Vec::new();
        while let Some(request) = next_request(&mut stream, &mut read).await? {
            // Created before the request is recorded, so that a test that sees it can call `go`.
            let go = self.go.notified();
            let act = {
                let mut seen = self.seen.lock().unwrap();
                seen.push(request);
                (self.script)(seen.len() - 1, seen.last().unwrap())
            };
            match act {
                Act::Say(bytes) => stream.write_all(&bytes).await?,
                Act::SayAndClose(bytes) => {
                    stream.write_all(&bytes).await?;
                    return stream.shutdown().await;
                }
                Act::SayLater(bytes) => {
                    go.await;
                    stream.write_all(&bytes).await?;
                }
                Act::Hang => std::future::pending().await,
                Act::Flood => self.flood(&mut stream).await?,
            }
        }
        Ok(())
    }

    async fn flood<S: AsyncWrite + Unpin>(&self, stream: &mut S) -> io::Result<()> {
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
        let chunk = [b"2000\r\n".as_slice(), &[b'x'; 0x2000], b"\r\n"].concat();
        loop {
            stream.write_all(&chunk).await?;
            self.written.fetch_add(chunk.len(), Ordering::SeqCst);
        }
    }
}

/// The next request, head and body, as text.
async fn next_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    read: &mut Vec<u8>,
) -> io::Result<Option<String>> {
    loop {
        let text = String::from_utf8_lossy(read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()
            });
            let length = length.unwrap_or(0);
            if body.len() >= length {
                read.drain(..head.len() + 4 + length);
                return Ok(Some(text));
            }
        }
        if stream.read_buf(read).await? == 0 {
            return Ok(None);
        }
    }
}
