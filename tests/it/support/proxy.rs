//! A way to PostgreSQL that a test can cut off.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use super::TestDatabase;

/// A port that leads to the server of the tests while it is open.
pub struct PostgresProxy {
    address: SocketAddr,
    socket: String,
    database: String,
    accepting: Option<JoinHandle<()>>,
}

impl PostgresProxy {
    pub async fn before(database: &TestDatabase) -> Self {
        let url = database.url.as_deref().expect("PostgreSQL");
        let (path, folder) = url.split_once("?host=").expect("a URL of the tests' server");
        let name = path.rsplit('/').next().expect("a database").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let socket = format!("{folder}/.s.PGSQL.5432");
        let accepting = Some(tokio::spawn(forward_all(listener, socket.clone())));
        Self { address, socket, database: name, accepting }
    }

    pub fn url(&self) -> String {
        format!("postgres://gateway@{}/{}", self.address, self.database)
    }

    /// Ends all connections and refuses new ones.
    pub async fn cut(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            accepting.await.ok();
        }
    }

    /// Lets connections through again.
    pub async fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is still free");
        self.accepting = Some(tokio::spawn(forward_all(listener, self.socket.clone())));
    }
}

async fn forward_all(listener: TcpListener, socket: String) {
    // Dropped with the task, it ends what it holds.
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        connections.spawn(forward(client, socket.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn forward(mut client: TcpStream, socket: String) {
    if let Ok(mut server) = UnixStream::connect(socket).await {
        tokio::io::copy_bidirectional(&mut client, &mut server).await.ok();
    }
}
