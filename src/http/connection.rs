//! TCP connections: how many there may be, and how one is ended from within a request.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::budget::{Account, Network, Permit, Pool};
use crate::config::Networks;

/// How often a refusal is logged at most: they come by the thousand.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// How many connections a listener has, and how long each may stall.
pub struct ConnectionBudget {
    /// All of them, with a share for each address.
    pub pool: Arc<Pool<Network>>,
    /// Proxies, through which many callers come from one address.
    pub trusted_proxies: Networks,
    /// How long the other end may take nothing of a response.
    pub write_timeout: Duration,
}

/// A connection, kept open and counted by whoever holds this.
#[derive(Clone)]
pub struct Connection(Arc<Open>);

struct Open {
    closing: Notify,
    _permit: Permit<Network>,
}

impl Connection {
    /// Ends the connection at once, whatever is being written to it.
    pub fn close(&self) {
        self.0.closing.notify_one();
    }

    /// Done once it is to be closed.
    pub async fn closed(&self) {
        self.0.closing.notified().await;
    }
}

/// Admits connections of one listener.
pub struct Admission {
    budget: ConnectionBudget,
    logged: Option<Instant>,
}

impl Admission {
    /// Within that budget.
    pub fn new(budget: ConnectionBudget) -> Self {
        Self { budget, logged: None }
    }

    /// How long the other end may take nothing.
    pub fn write_timeout(&self) -> Duration {
        self.budget.write_timeout
    }

    /// Admits a connection, unless its address, or the listener, has as many as it may.
    pub fn admit(&mut self, address: IpAddr) -> Option<Connection> {
        let account = Account::alone(Network::from(address));
        let admitted = if self.budget.trusted_proxies.contain(address.to_canonical()) {
            self.budget.pool.try_take_unshared(account, 1)
        } else {
            self.budget.pool.try_take(account, 1)
        };
        match admitted {
            Ok(permit) => {
                Some(Connection(Arc::new(Open { closing: Notify::new(), _permit: permit })))
            }
            Err(_) => {
                self.log_refusal(address);
                None
            }
        }
    }

    fn log_refusal(&mut self, address: IpAddr) {
        let now = Instant::now();
        if self.logged.is_none_or(|logged| now.duration_since(logged) >= LOG_EVERY) {
            self.logged = Some(now);
            let figures = self.budget.pool.figures();
            tracing::warn!(
                %address,
                connections = figures.in_use,
                refused = figures.refused,
                "connection refused: its address or this node has as many as budget.connections_per_address or \
                 budget.connections allows"
            );
        }
    }
}
