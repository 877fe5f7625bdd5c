//! Raw requests that no HTTP client would send.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends a request with `Connection: close` and reads to the end: the status, if any, and the JSON
/// body.
pub async fn exchange(to: SocketAddr, request: &[u8]) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(to).await.expect("the gateway accepts connections");
    // The gateway may refuse and close before all is sent.
    stream.write_all(request).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let text = String::from_utf8_lossy(&answer);
    let status = text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Some((status, serde_json::from_str(body).unwrap_or(Value::Null)))
}
