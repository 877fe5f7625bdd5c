//! Silent connections.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Duration, sleep, timeout};

use super::stage::Stage;
use crate::budget::streams::open;

/// The duration of an attack.
const LASTS: Duration = Duration::from_secs(5);

pub fn address(stage: &Stage) -> SocketAddr {
    stage.process.gateway().url.strip_prefix("http://").unwrap().parse().unwrap()
}

async fn connect(to: SocketAddr, from: &str) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(format!("{from}:0").parse().unwrap()).ok()?;
    socket.connect(to).await.ok()
}

pub async fn silent(stage: &Stage) -> String {
    let to = address(stage);
    let mut silent = Vec::new();
    for _ in 0..1100 {
        silent.extend(connect(to, "127.0.0.2").await);
    }
    let live = format!("{}/health/live", stage.process.gateway().url);
    let mut answered = 0;
    for _ in 0..50 {
        let asked = timeout(Duration::from_secs(1), stage.process.gateway().http.get(&live).send());
        answered += usize::from(
            asked.await.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status() == 200)),
        );
        sleep(LASTS / 50).await;
    }
    let mut kept = 0;
    for mut stream in silent {
        // Refused connections are closed.
        let mut byte = [0];
        let read = timeout(Duration::from_millis(1), stream.read(&mut byte));
        kept += usize::from(read.await.is_err());
    }
    assert!(
        answered == 50 && kept <= 512,
        "/health/live answered {answered} of 50, {kept} connections kept"
    );
    format!("{kept} connections kept, /health/live answered 50 of 50")
}

pub async fn unauthenticated_sockets(stage: &Stage) -> String {
    let to = address(stage);
    let mut opened = Vec::new();
    let mut refused = 0;
    for _ in 0..400 {
        match open(to, "127.0.0.1", None).await {
            (101, stream) => opened.push(stream),
            _ => refused += 1,
        }
    }
    let (status, _stream) = open(to, "127.0.0.1", Some(&stage.neighbour.token)).await;
    assert_eq!(status, 101, "authenticated callers still get a stream");
    sleep(LASTS).await;
    assert!(refused >= 300, "{refused} of 400 refused");
    format!("{} of 400 opened", opened.len())
}
