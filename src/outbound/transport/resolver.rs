//! Name resolution that checks every address when a connection is made: a host name may resolve to
//! another address than when it was configured (DNS rebinding).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::outbound::route::AddressPolicy;

/// A resolver that returns only addresses that the policy permits.
#[derive(Clone)]
pub(in crate::outbound) struct GuardedResolver {
    pub policy: AddressPolicy,
    /// Whether the connection is made without TLS.
    pub plain: bool,
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            // The connector sets the port.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            resolver.permitted(found)
        })
    }
}

impl GuardedResolver {
    /// Those of the addresses that the policy permits.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn permitted(
        &self,
        found: impl Iterator<Item = SocketAddr>,
    ) -> io::Result<std::vec::IntoIter<SocketAddr>> {
        let permitted: Vec<_> =
            found.filter(|address| self.policy.permits(address.ip(), self.plain)).collect();
        if permitted.is_empty() {
            let message = "the host name resolves to no address that this gateway may call";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        Ok(permitted.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(allow_private: bool, plain: bool, found: &[&str]) -> Vec<String> {
        let resolver = GuardedResolver { policy: AddressPolicy { allow_private }, plain };
        let found = found.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
        resolver
            .permitted(found)
            .map_or(Vec::new(), |left| left.map(|address| address.ip().to_string()).collect())
    }

    #[test]
    fn name_that_resolves_to_a_forbidden_address_is_not_called() {
        assert!(
            permitted(true, false, &["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"])
                .is_empty()
        );
        assert!(permitted(false, false, &["127.0.0.1", "10.0.0.1", "::1"]).is_empty());
        assert_eq!(permitted(false, false, &["127.0.0.1", "8.8.8.8"]), ["8.8.8.8"]);
    }

    #[test]
    fn only_private_addresses_are_called_without_tls() {
        assert_eq!(permitted(true, true, &["8.8.8.8", "10.0.0.1"]), ["10.0.0.1"]);
    }
}
