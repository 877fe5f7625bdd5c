//! A TCP proxy to PostgreSQL that a test can interrupt.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::TestDatabase;

/// A port that forwards to the test server while it is open.
pub struct PostgresProxy {
    address: SocketAddr,
    socket: String,
    database: String,
    accepting: Option<JoinHandle<()>>,
    stalled: watch::Sender<bool>,
}

impl PostgresProxy {
    pub async fn before(database: &TestDatabase) -> Self {
        let url = database.url.as_deref().expect("PostgreSQL");
        let (path, folder) = url.split_once("?host=").expect("a URL of the tests' server");
        let name = path.rsplit('/').next().expect("a database").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let socket = format!("{folder}/.s.PGSQL.5432");
        let (stalled, _) = watch::channel(false);
        let accepting =
            Some(tokio::spawn(forward_all(listener, socket.clone(), stalled.subscribe())));
        Self { address, socket, database: name, accepting, stalled }
    }

    pub fn url(&self) -> String {
        format!("postgres://gateway@{}/{}", self.address, self.database)
    }

    /// Closes all connections and refuses new ones.
    pub async fn cut(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            accepting.await.ok();
        }
    }

    /// Keeps all connections open and forwards no more bytes.
    pub fn stall(&self) {
        self.stalled.send_replace(true);
    }

    /// Accepts new connections again.
    pub async fn mend(&mut self) {
        self.cut().await;
        self.stalled.send_replace(false);
        let listener = TcpListener::bind(self.address).await.expect("the port is still free");
        let forwarding = forward_all(listener, self.socket.clone(), self.stalled.subscribe());
        self.accepting = Some(tokio::spawn(forwarding));
    }
}

async fn forward_all(listener: TcpListener, socket: String, stalled: watch::Receiver<bool>) {
    // Dropped with the task, which closes the connections.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        connections.spawn(forward(client, socket.clone(), stalled.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn forward(mut client: TcpStream, socket: String, mut stalled: watch::Receiver<bool>) {
    let Ok(mut server) = UnixStream::connect(socket).await else { return };
    tokio::select! {
        biased;
        _ = stalled.wait_for(|stalled| *stalled) => {}
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
    }
    // Both ends stay open.
    std::future::pending::<()>().await;
}
