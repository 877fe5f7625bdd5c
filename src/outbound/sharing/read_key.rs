//! The key of a read that may be shared or cached.

use aws_lc_rs::digest::{SHA256, digest};

use super::single_flight::ScopedKey;
use crate::outbound::call::Call;
use crate::outbound::route::UpstreamRoute;

/// Everything that makes two reads the same, as a digest: the route with its tenant and identity,
/// the generation of the tenant's data, and the whole call.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::outbound) struct ReadKey([u8; 32]);

impl ScopedKey for ReadKey {}

impl ReadKey {
    /// The key of a call. `generation` changes with every write, so that a read begun before a
    /// write does not answer one begun after it.
    pub(in crate::outbound) fn new(route: &UpstreamRoute, generation: u64, call: &Call) -> Self {
        let mut whole = Vec::with_capacity(1024);
        // Each part is prefixed with its length, so that no two lists of parts have the same bytes.
        let mut part = |bytes: &[u8]| {
            whole.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            whole.extend_from_slice(bytes);
        };
        part(route.tenant.0.as_bytes());
        part(route.endpoint.upstream.0.as_bytes());
        part(&route.endpoint.revision.to_le_bytes());
        part(route.identity.as_str().as_bytes());
        part(&generation.to_le_bytes());
        part(call.method.as_bytes());
        part(&call.answer_limit.to_le_bytes());
        part(&call.path.len().to_le_bytes());
        call.path.iter().for_each(|segment| part(segment.as_bytes()));
        part(&call.query.len().to_le_bytes());
        for (name, value) in &call.query {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(&call.headers.len().to_le_bytes());
        for (name, value) in &call.headers {
            part(name.as_bytes());
            part(value.as_bytes());
        }
        part(call.body.as_deref().unwrap_or_default());
        Self(digest(&SHA256, &whole).as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// A key made up for tests.
    #[cfg(test)]
    pub(in crate::outbound) fn of(number: u16) -> Self {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_le_bytes());
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::ids::{TenantId, UpstreamId};
    use crate::outbound::call::Kind;
    use crate::outbound::{AddressPolicy, BaseUrl, Endpoint, Identity};

    fn key(
        tenant: u128,
        upstream: u128,
        revision: i64,
        identity: &str,
        path: &[&'static str],
    ) -> ReadKey {
        let base_url =
            BaseUrl::parse("", "https://manager.example", AddressPolicy { allow_private: false })
                .unwrap();
        let upstream = UpstreamId(uuid::Uuid::from_u128(upstream));
        let endpoint = Endpoint {
            upstream,
            owner: TenantId(uuid::Uuid::nil()),
            system: "TEST",
            revision,
            base_url,
            ca_certificate: None,
        };
        let tenant = TenantId(uuid::Uuid::from_u128(tenant));
        let route = UpstreamRoute {
            tenant,
            endpoint: Arc::new(endpoint),
            identity: Identity::new(identity),
        };
        let call = Call {
            method: "GET",
            path: path.iter().map(|segment| Cow::Borrowed(*segment)).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            kind: Kind::Read,
            answer_limit: 1,
            cache_ttl: None,
        };
        ReadKey::new(&route, 1, &call)
    }

    #[test]
    fn each_part_of_a_route_and_call_changes_the_key() {
        let keys = [
            key(1, 1, 1, "own", &["a", "b"]),
            key(2, 1, 1, "own", &["a", "b"]),
            key(1, 2, 1, "own", &["a", "b"]),
            key(1, 1, 2, "own", &["a", "b"]),
            key(1, 1, 1, "other", &["a", "b"]),
            key(1, 1, 1, "own", &["ab"]),
            key(1, 1, 1, "own", &["a", "b", ""]),
        ];
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
        assert!(key(1, 1, 1, "own", &["a"]) == key(1, 1, 1, "own", &["a"]));
    }
}
