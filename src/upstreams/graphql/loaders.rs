//! Batched reads of upstreams and links: one statement for all rows of a list.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::Loader;

use crate::auth::TenantScope;
use crate::auth::graphql::{load, service};
use crate::clock::Timestamp;
use crate::deep_security::DeepSecurity;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::upstreams::model::{Link, Upstream};
use crate::upstreams::{LinkRef, Upstreams};

/// The links of tenants.
struct OfTenants {
    upstreams: Arc<Upstreams>,
    scope: TenantScope,
}

/// The links to installations.
struct ToUpstreams {
    upstreams: Arc<Upstreams>,
    scope: TenantScope,
}

/// The installations that links lead to.
struct OfLinks {
    upstreams: Arc<Upstreams>,
    scope: TenantScope,
}

/// When the minted keys of links expire.
struct KeyEnds {
    deep_security: Arc<DeepSecurity>,
}

/// An installation that a link leads to, and whether the scope shows how it is reached.
#[derive(Clone)]
pub(super) struct Linked {
    /// The installation.
    pub upstream: Upstream,
    /// Whether the scope shows how it is reached.
    pub shows_details: bool,
}

/// The links of a tenant of the scope, by kind of system.
pub(super) async fn links_of_tenant(
    ctx: &Context<'_>,
    scope: &TenantScope,
    tenant: TenantId,
) -> Result<Vec<Link>> {
    let upstreams = service::<Upstreams>(ctx)?;
    let make = || OfTenants { upstreams: upstreams.clone(), scope: scope.clone() };
    Ok(load(ctx, scope, tenant, make).await?.unwrap_or_default())
}

/// The links to an installation, of those tenants that the scope reaches; oldest first.
pub(super) async fn links_to(
    ctx: &Context<'_>,
    scope: &TenantScope,
    upstream: UpstreamId,
) -> Result<Vec<Link>> {
    let upstreams = service::<Upstreams>(ctx)?;
    let make = || ToUpstreams { upstreams: upstreams.clone(), scope: scope.clone() };
    Ok(load(ctx, scope, upstream, make).await?.unwrap_or_default())
}

/// The installation of a link that the caller may see.
pub(super) async fn linked(ctx: &Context<'_>, scope: &TenantScope, link: &Link) -> Result<Linked> {
    let upstreams = service::<Upstreams>(ctx)?;
    let make = || OfLinks { upstreams: upstreams.clone(), scope: scope.clone() };
    let found = load(ctx, scope, LinkRef::from(link), make).await?;
    found.ok_or_else(|| Error::internal("a link without its upstream"))
}

/// When the key that is in use for a link ends.
pub(super) async fn key_expires_at(
    ctx: &Context<'_>,
    scope: &TenantScope,
    link: &Link,
) -> Result<Option<Timestamp>> {
    let deep_security = service::<DeepSecurity>(ctx)?;
    let make = || KeyEnds { deep_security: deep_security.clone() };
    load(ctx, scope, LinkRef::from(link), make).await
}

impl Loader<TenantId> for OfTenants {
    type Value = Vec<Link>;
    type Error = Error;

    async fn load(&self, tenants: &[TenantId]) -> Result<HashMap<TenantId, Vec<Link>>> {
        let links = self.upstreams.links_of_tenants(&self.scope, tenants).await?;
        Ok(grouped(links, |link| link.tenant_id))
    }
}

impl Loader<UpstreamId> for ToUpstreams {
    type Value = Vec<Link>;
    type Error = Error;

    async fn load(&self, upstreams: &[UpstreamId]) -> Result<HashMap<UpstreamId, Vec<Link>>> {
        let links = self.upstreams.links_to(&self.scope, upstreams).await?;
        Ok(grouped(links, |link| link.upstream_id))
    }
}

impl Loader<LinkRef> for OfLinks {
    type Value = Linked;
    type Error = Error;

    async fn load(&self, links: &[LinkRef]) -> Result<HashMap<LinkRef, Linked>> {
        let found = self.upstreams.of_links(&self.scope, links).await?;
        let linked = |(upstream, shows_details): (Upstream, bool)| {
            (upstream.id, Linked { upstream, shows_details })
        };
        let found: HashMap<UpstreamId, Linked> = found.into_iter().map(linked).collect();
        let of = |link: &LinkRef| Some((*link, found.get(&link.upstream_id())?.clone()));
        Ok(links.iter().filter_map(of).collect())
    }
}

impl Loader<LinkRef> for KeyEnds {
    type Value = Timestamp;
    type Error = Error;

    async fn load(&self, links: &[LinkRef]) -> Result<HashMap<LinkRef, Timestamp>> {
        let found = self.deep_security.keys_expire_at(links).await?;
        Ok(links.iter().filter_map(|link| Some((*link, *found.get(&link.id())?))).collect())
    }
}

/// In the order in which they came, within each group.
fn grouped<K: Eq + Hash>(links: Vec<Link>, key: impl Fn(&Link) -> K) -> HashMap<K, Vec<Link>> {
    let mut groups: HashMap<K, Vec<Link>> = HashMap::new();
    for link in links {
        groups.entry(key(&link)).or_default().push(link);
    }
    groups
}
