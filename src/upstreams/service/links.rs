//! Links between tenants of the gateway and tenants of installations.

use std::sync::Arc;

use sea_orm::{
    ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder, SqlErr,
};

use super::Upstreams;
use crate::audit::{self, Entry};
use crate::auth::TenantScope;
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::{LinkId, TenantId, UpstreamId};
use crate::roles::Permission;
use crate::upstreams::connection::Connection;
use crate::upstreams::entity::{link, upstream};
use crate::upstreams::link_check::{LinkCheck, LinkState};
use crate::upstreams::model::{
    Link, NewLink, System, Upstream, canonical_remote_id, link_state, subject,
};

const TAKEN: &str = "the tenant is linked to a system of this kind already, \
    or another tenant is linked to that tenant of it";

impl Upstreams {
    /// A link of the scope.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other.
    pub async fn find_link(&self, scope: &TenantScope, id: LinkId) -> Result<Link> {
        let found = link::Entity::of_tenant(scope).filter(link::Column::Id.eq(id));
        found.one(self.database.reader()).await?.ok_or_else(|| Error::not_found("link"))
    }

    /// The links of tenants of the scope, by kind of system; those of other tenants are left out.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn links_of_tenants(
        &self,
        scope: &TenantScope,
        tenants: &[TenantId],
    ) -> Result<Vec<Link>> {
        let among = link::Column::TenantId.is_in(tenants.iter().copied());
        let links = link::Entity::of_tenant(scope).filter(among);
        Ok(links.order_by_asc(link::Column::System).all(self.database.reader()).await?)
    }

    /// The links to installations, of those tenants that the scope reaches; oldest first.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn links_to(
        &self,
        scope: &TenantScope,
        upstreams: &[UpstreamId],
    ) -> Result<Vec<Link>> {
        let among = link::Column::UpstreamId.is_in(upstreams.iter().copied());
        let links = link::Entity::of_tenant(scope).filter(among);
        Ok(links.order_by_asc(link::Column::CreatedAt).all(self.database.reader()).await?)
    }

    /// Checks that a tenant can be linked to an installation of the scope's tenant: it must be that
    /// tenant or a descendant, and have no link to a system of this kind.
    ///
    /// # Errors
    /// `NOT_FOUND` for another tenant, `CONFLICT` for one that has a link.
    pub async fn can_link(
        &self,
        scope: &TenantScope,
        system: System,
        tenant: TenantId,
    ) -> Result<()> {
        let tenants = crate::tenants::entity::Entity::of_tenant(scope);
        let found = tenants
            .filter(crate::tenants::entity::Column::Id.eq(tenant))
            .one(self.database.reader())
            .await?;
        found.ok_or_else(|| Error::not_found("tenant"))?;
        let links = link::Entity::of_tenant(scope).filter(link::Column::TenantId.eq(tenant));
        match links
            .filter(link::Column::System.eq(system.as_str()))
            .one(self.database.reader())
            .await?
        {
            Some(_) => {
                Err(Error::conflict("the tenant is linked to a system of this kind already"))
            }
            None => Ok(()),
        }
    }

    /// Links a tenant of the scope to an installation of the scope. The tenant must be the owner of
    /// the installation or below it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a tenant or an installation outside the scope, `CONFLICT` if the tenant has
    /// a link for that kind of system already, or another tenant is linked to that tenant of the
    /// installation.
    pub async fn link(&self, scope: &TenantScope, new: NewLink) -> Result<Link> {
        let work = async |write: Arc<Write<'_>>| self.link_in(&write, scope, &new).await;
        scope.change(&self.database, work).await
    }

    /// The same inside the caller's transaction. The caller calls [`TenantScope::forget_access`]
    /// after the commit.
    ///
    /// # Errors
    /// As [`Upstreams::link`].
    pub async fn link_in(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        new: &NewLink,
    ) -> Result<Link> {
        // One link is created at a time, over all nodes: an installation may be registered twice,
        // and no index spans both registrations.
        write.lock(AdvisoryLock::Links).await?;
        let upstream = self.in_scope(write, scope, &new.upstream.to_string()).await?;
        let owner = scope.within(upstream.owner_tenant_id, Permission::ManageUpstreams).await?;
        let tenant = crate::tenants::entity::Entity::of_tenant(&owner)
            .filter(crate::tenants::entity::Column::Id.eq(new.tenant))
            .one(write.on())
            .await?;
        let tenant = tenant.ok_or_else(|| Error::not_found("tenant"))?;
        let remote_tenant_id = new.remote_tenant_id.as_deref().map(canonical_remote_id);
        if let Some(remote) = &remote_tenant_id {
            require_free(write, &upstream, remote).await?;
        }
        let id = LinkId::random(&*self.entropy);
        let now = scope.now();
        let failure = new.check.failure().map(|failure| failure.as_str().to_owned());
        let link = Link {
            id,
            tenant_id: tenant.id,
            upstream_id: upstream.id,
            system: upstream.system.clone(),
            remote_tenant_id,
            created_at: now,
            verification: new.check.state().unwrap_or(LinkState::Pending).as_str().to_owned(),
            failed_at: failure.as_ref().map(|_| now),
            failure,
            verified_at: (new.check == LinkCheck::Verified).then_some(now),
        };
        insert(write, &link).await?;
        let entry = Entry {
            operation: "linkTenant",
            tenant: link.tenant_id,
            subject: subject(link.id),
            before: None,
            after: Some(link_state(&link)),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        Ok(link)
    }

    /// Deletes a link of the scope.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope.
    pub async fn unlink(&self, scope: &TenantScope, id: &str) -> Result<Link> {
        let id: LinkId = id.parse().map_err(|_| Error::not_found("link"))?;
        scope.change(&self.database, |write| self.unlink_in(write, scope, id)).await
    }

    async fn unlink_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: LinkId,
    ) -> Result<Link> {
        let found =
            link::Entity::of_tenant(scope).filter(link::Column::Id.eq(id)).one(write.on()).await?;
        let link = found.ok_or_else(|| Error::not_found("link"))?;
        link.clone().delete(write.on()).await?;
        let entry = Entry {
            operation: "unlinkTenant",
            tenant: link.tenant_id,
            subject: subject(link.id),
            before: Some(link_state(&link)),
            after: None,
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        Ok(link)
    }

    /// The connection to check a link before it is created: with the installation's own credential
    /// and in the name of its owner.
    ///
    /// # Errors
    /// As [`Upstreams::link`], as far as it can be known before the link is written.
    pub async fn to_link(
        &self,
        scope: &TenantScope,
        new: &NewLink,
    ) -> Result<(TenantScope, Connection)> {
        let upstream = self.find(scope, &new.upstream.to_string()).await?;
        let owner = scope.within(upstream.owner_tenant_id, Permission::ManageUpstreams).await?;
        self.can_link(&owner, System::from_name(&upstream.system)?, new.tenant).await?;
        let connection = self.connect(&owner, &upstream, None)?;
        let remote_tenant_id = new.remote_tenant_id.clone();
        Ok((owner, Connection { remote_tenant_id, ..connection }))
    }

    /// The connection of a link, in its tenant's scope.
    ///
    /// # Errors
    /// If the database cannot be asked, or the settings do not let the gateway call it.
    pub async fn connection_of(&self, scope: &TenantScope, link: &Link) -> Result<Connection> {
        let upstream = upstream::Entity::of_link(link).one(self.database.reader()).await?;
        let upstream = upstream.ok_or_else(|| Error::internal("a link without its upstream"))?;
        self.connect(scope, &upstream, Some(link))
    }
}

/// Refuses a remote tenant that another tenant is linked to, through any registration of the
/// installation.
async fn require_free(write: &Write<'_>, upstream: &Upstream, remote: &str) -> Result<()> {
    let there =
        upstream::Entity::at_place(upstream.owner_tenant_id, &upstream.system, &upstream.base_url);
    let taken = link::Entity::using_any(there).filter(link::Column::RemoteTenantId.eq(remote));
    match taken.one(write.on()).await? {
        Some(_) => Err(Error::conflict(TAKEN)),
        None => Ok(()),
    }
}

async fn insert(write: &Write<'_>, link: &Link) -> Result<()> {
    let row = link.clone().into_active_model();
    let inserted = link::Entity::insert(row).exec_without_returning(write.on()).await;
    inserted.map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::conflict(TAKEN),
        _ => error.into(),
    })?;
    Ok(())
}
