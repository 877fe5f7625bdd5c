//! Registering installations, linking tenants to them, and finding the way to them.

mod changes;
mod connections;
mod link_checks;
mod links;
mod registered;
mod rewrap;

pub use registered::registered;
pub use rewrap::rewrap;

use std::collections::HashSet;
use std::sync::Arc;

use quick_cache::sync::Cache;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::connection::Connection;
use super::entity::{link, upstream};
use super::link_ref::LinkRef;
use super::model::{System, Upstream};
use crate::auth::TenantScope;
use crate::clock::MonotonicTime;
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::outbound::AddressPolicy;
use crate::seal::MasterKey;

const WHAT: &str = "upstream";

/// The installations and links in a database.
pub struct Upstreams {
    database: Arc<Database>,
    master: Arc<MasterKey>,
    entropy: Arc<dyn Entropy>,
    policy: AddressPolicy,
    connections: Cache<(TenantId, System), Remembered>,
}

/// The tenant of the gateway that sees a tenant of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyTenant {
    /// The one that is linked to it.
    Linked(TenantId),
    /// The one that owns the installation.
    OfOwner(TenantId),
}

/// A connection, and when it was read from the database.
#[derive(Clone)]
struct Remembered {
    connection: Arc<Connection>,
    asked_at: MonotonicTime,
    version: u64,
}

impl Upstreams {
    /// Creates the service. Base URLs must obey the policy. At most `capacity` connections are
    /// cached, for as long as access decisions are.
    pub fn new(
        database: Arc<Database>,
        master: Arc<MasterKey>,
        entropy: Arc<dyn Entropy>,
        policy: AddressPolicy,
        capacity: usize,
    ) -> Self {
        Self { database, master, entropy, policy, connections: Cache::new(capacity) }
    }

    /// The source of randomness for the ids of installations.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// The addresses that an installation may have.
    pub fn policy(&self) -> AddressPolicy {
        self.policy
    }

    /// The installations that the scope's tenant owns, by name.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(&self, scope: &TenantScope) -> Result<Vec<Upstream>> {
        let owned = upstream::Entity::owned_by(scope.tenant()).order_by_asc(upstream::Column::Name);
        Ok(owned.order_by_asc(upstream::Column::Id).all(self.database.reader()).await?)
    }

    /// One installation of the scope: its tenant's own, or that of one below it.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<Upstream> {
        let id: UpstreamId = id.parse().map_err(|_| Error::not_found(WHAT))?;
        let found = upstream::Entity::of_tenant(scope).filter(upstream::Column::Id.eq(id));
        found.one(self.database.reader()).await?.ok_or_else(|| Error::not_found(WHAT))
    }

    /// The tenant within the scope that sees a tenant of an installation: the one that is linked to
    /// it, else the owner of the installation.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is neither.
    pub async fn legacy_tenant(
        &self,
        scope: &TenantScope,
        upstream: UpstreamId,
        remote: &str,
    ) -> Result<LegacyTenant> {
        let links = link::Entity::of_tenant(scope).filter(link::Column::UpstreamId.eq(upstream));
        let link = links
            .filter(link::Column::RemoteTenantId.eq(remote))
            .one(self.database.reader())
            .await?;
        if let Some(link) = link {
            return Ok(LegacyTenant::Linked(link.tenant_id));
        }
        Ok(LegacyTenant::OfOwner(self.find(scope, &upstream.to_string()).await?.owner_tenant_id))
    }

    /// The ids of the installations that the scope's tenant owns or is linked to.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn ids_of_tenant(&self, scope: &TenantScope) -> Result<Vec<UpstreamId>> {
        let used = upstream::Entity::used_by(scope).select_only().column(upstream::Column::Id);
        Ok(used.into_tuple().all(self.database.reader()).await?)
    }

    /// The installations behind links, each with whether the scope shows how it is reached: only
    /// its owner and the tenants above that see it.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn of_links(
        &self,
        scope: &TenantScope,
        links: &[LinkRef],
    ) -> Result<Vec<(Upstream, bool)>> {
        let ids: HashSet<UpstreamId> = links.iter().map(|link| link.upstream_id()).collect();
        let ids: Vec<UpstreamId> = ids.into_iter().collect();
        let reader = self.database.reader();
        let found = upstream::Entity::of_records(&ids).all(reader).await?;
        let foreign = found.iter().filter(|upstream| upstream.owner_tenant_id != scope.tenant());
        let foreign: Vec<UpstreamId> = foreign.map(|upstream| upstream.id).collect();
        let of_tenants_below: HashSet<UpstreamId> = if foreign.is_empty() {
            HashSet::new()
        } else {
            let below = upstream::Entity::of_tenant(scope)
                .filter(upstream::Column::Id.is_in(foreign))
                .select_only()
                .column(upstream::Column::Id);
            below.into_tuple().all(reader).await?.into_iter().collect()
        };
        let shown = found.into_iter().map(|upstream| {
            let shows_details = upstream.owner_tenant_id == scope.tenant()
                || of_tenants_below.contains(&upstream.id);
            (upstream, shows_details)
        });
        Ok(shown.collect())
    }
}
