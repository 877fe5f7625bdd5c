//! Names to addresses, each judged when it is about to be called: what a name pointed to when it
//! was configured tells nothing of where it points now.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use super::base_url::AddressPolicy;

/// A resolver that gives only addresses that may be called.
#[derive(Clone)]
pub(super) struct Guard {
    pub policy: AddressPolicy,
    /// Whether the call goes there without TLS.
    pub plain: bool,
}

impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move {
            // The port is the connector's to fill in.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            guard.judge(found)
        })
    }
}

impl Guard {
    fn judge(
        &self,
        found: impl Iterator<Item = SocketAddr>,
    ) -> io::Result<std::vec::IntoIter<SocketAddr>> {
        let allowed: Vec<_> =
            found.filter(|address| self.policy.permits(address.ip(), self.plain)).collect();
        match allowed.is_empty() {
            true => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the name leads to no address that is allowed",
            )),
            false => Ok(allowed.into_iter()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(allow_private: bool, plain: bool, found: &[&str]) -> Vec<String> {
        let guard = Guard { policy: AddressPolicy { allow_private }, plain };
        let found = found.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
        guard
            .judge(found)
            .map_or(Vec::new(), |left| left.map(|address| address.ip().to_string()).collect())
    }

    #[test]
    fn a_name_that_was_turned_to_a_forbidden_address_is_not_followed() {
        assert!(
            judged(true, false, &["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
                .is_empty()
        );
        assert!(judged(false, false, &["127.0.0.1", "10.0.0.1", "::1"]).is_empty());
        assert_eq!(judged(false, false, &["127.0.0.1", "8.8.8.8"]), ["8.8.8.8"]);
    }

    #[test]
    fn without_tls_a_name_leads_to_private_addresses_alone() {
        assert_eq!(judged(true, true, &["8.8.8.8", "10.0.0.1"]), ["10.0.0.1"]);
    }
}
