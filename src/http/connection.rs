//! TCP connections: how many are admitted, and how a request closes its own.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::budget::{Account, Network, Permit, Pool};
use crate::config::Networks;

/// Refusals are logged at most this often: they come by the thousand.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// How many connections a listener admits, and how long each may stall.
pub struct ConnectionBudget {
    /// The connections of the listener, with a share for each address.
    pub pool: Arc<Pool<Network>>,
    /// Proxies: many clients share such an address, so that it has no share.
    pub trusted_proxies: Networks,
    /// How long the peer may read nothing of a response.
    pub write_timeout: Duration,
}

/// An open connection; it counts against the budget until the last clone is dropped.
#[derive(Clone)]
pub struct Connection(Arc<Open>);

struct Open {
    closing: Notify,
    _permit: Permit<Network>,
}

impl Connection {
    /// Closes the connection at once, even in the middle of a response.
    pub fn close(&self) {
        self.0.closing.notify_one();
    }

    /// Completes once [`Connection::close`] was called.
    pub async fn closed(&self) {
        self.0.closing.notified().await;
    }
}

/// Admits the connections of one listener.
pub struct Admission {
    budget: ConnectionBudget,
    logged: Option<Instant>,
}

impl Admission {
    /// Admits within that budget.
    pub fn new(budget: ConnectionBudget) -> Self {
        Self { budget, logged: None }
    }

    /// How long the peer may read nothing.
    pub fn write_timeout(&self) -> Duration {
        self.budget.write_timeout
    }

    /// Admits a connection, unless its address or the listener has reached its limit.
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
                "connection refused: budget.connections_per_address or budget.connections is \
                 reached"
            );
        }
    }
}
