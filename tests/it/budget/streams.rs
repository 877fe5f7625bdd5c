//! WebSockets before and after authentication.

use std::net::SocketAddr;

use tenant_gateway::roles::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Engine, TestApp, eventually};

/// Opens a WebSocket from an address of this machine; returns the status and the socket.
pub async fn open(to: SocketAddr, from: &str, token: Option<&str>) -> (u16, TcpStream) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let authorization =
        token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "GET /graphql HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: graphql-transport-ws\r\n{authorization}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    (String::from_utf8_lossy(&head[9..]).parse().unwrap(), stream)
}

#[tokio::test]
async fn unauthenticated_sockets_are_few_per_address_and_take_no_stream() {
    let app = TestApp::with(Engine::Sqlite, |config| {
        config.limits.streams = 1;
        config.budget.sockets_per_address = 3;
    })
    .await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        let (status, stream) = open(app.address, "127.0.0.1", None).await;
        assert_eq!(status, 101);
        silent.push(stream);
    }
    assert_eq!(open(app.address, "127.0.0.1", None).await.0, 429);
    assert_eq!(
        open(app.address, "127.0.0.2", None).await.0,
        101,
        "another address has its own share"
    );
    let caller = app.administrator(app.world.north).await;
    let (status, _stream) = open(app.address, "127.0.0.1", Some(&caller.token)).await;
    assert_eq!(status, 101, "an authenticated caller gets the only stream");
    drop(silent);
    eventually(10, "the address may connect again", async || {
        let (status, _) = open(app.address, "127.0.0.1", None).await;
        (status == 101).then_some(())
    })
    .await;
}

#[tokio::test]
async fn streams_of_one_client_leave_room_for_its_tenant_and_for_others() {
    let app = TestApp::with(Engine::Sqlite, |config| config.limits.streams = 26).await;
    let greedy = app.administrator(app.world.north).await;
    let mut opened = Vec::new();
    loop {
        let (status, stream) = open(app.address, "127.0.0.1", Some(&greedy.token)).await;
        if status != 101 {
            assert_eq!(status, 429);
            break;
        }
        opened.push(stream);
    }
    assert!((10..=20).contains(&opened.len()), "{}", opened.len());
    for (tenant, who) in [(app.world.north, "same tenant"), (app.world.south, "another tenant")] {
        let caller = app.caller(tenant, Role::Auditor).await;
        assert_eq!(open(app.address, "127.0.0.1", Some(&caller.token)).await.0, 101, "{who}");
    }
}
