//! Registration, changes and removal of installations.

use std::collections::HashSet;
use std::sync::Arc;

use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait,
    QueryFilter, Set,
};

use super::{Upstreams, WHAT, link_checks};
use crate::audit::{self, Attempt, Entry};
use crate::auth::TenantScope;
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::patch::Patch;
use crate::upstreams::connection::Connection;
use crate::upstreams::entity::{link, upstream};
use crate::upstreams::model::{
    Credential, NewUpstream, System, Upstream, UpstreamChange, binding, state,
};

const TAKEN_THERE: &str = "at that baseURL, a tenant linked to this upstream and another tenant \
    would be linked to the same tenant of the installation: unlink one of them first";

/// The most installations that a tenant may own, so that their list stays one page.
const OWNED_MAX: u64 = 1000;

impl Upstreams {
    /// Checks that the scope's tenant may own one more, before anything is created for it.
    ///
    /// # Errors
    /// `CONFLICT` if the tenant has 1,000 already.
    pub async fn can_register(&self, scope: &TenantScope) -> Result<()> {
        has_room(self.database.reader(), scope).await
    }

    /// Registers an installation of the scope's tenant.
    ///
    /// # Errors
    /// `CONFLICT` if the tenant has 1,000 already.
    pub async fn register(&self, scope: &TenantScope, new: NewUpstream) -> Result<Upstream> {
        let id = UpstreamId::random(&*self.entropy);
        let now = scope.now();
        let upstream = Upstream {
            id,
            owner_tenant_id: scope.tenant(),
            name: new.name.as_str().to_owned(),
            system: new.system.as_str().to_owned(),
            base_url: new.base_url.as_str().to_owned(),
            authentication: new.credential.authentication().as_str().to_owned(),
            sealed_credential: self.seal(id, scope.tenant(), &new.credential),
            ca_certificate: new.ca_certificate,
            time_zone: new.time_zone,
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        let work = async |write: Arc<Write<'_>>| {
            has_room(write.on(), scope).await?;
            upstream::Entity::insert(upstream.clone().into_active_model())
                .exec_without_returning(write.on())
                .await?;
            self.record(&write, scope, "registerUpstream", (None, Some(&upstream))).await
        };
        self.database.transaction(work).await?;
        Ok(upstream)
    }

    /// Changes an installation of the scope that was read as `before`, against which the change was
    /// validated.
    ///
    /// # Errors
    /// `CONFLICT` if it was changed or removed since, `BAD_USER_INPUT` for a credential of another
    /// kind of system.
    pub async fn update(
        &self,
        scope: &TenantScope,
        before: &Upstream,
        change: UpstreamChange,
    ) -> Result<Upstream> {
        let work = |write| self.update_in(write, scope, before, &change);
        scope.change(&self.database, work).await
    }

    async fn update_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        before: &Upstream,
        change: &UpstreamChange,
    ) -> Result<Upstream> {
        if let Some(base_url) =
            change.base_url.as_ref().filter(|url| url.as_str() != before.base_url)
        {
            require_free_place(&write, before, base_url.as_str()).await?;
        }
        let mut upstream = self.changed(before, change)?;
        if change.base_url.is_some() || change.credential.is_some() {
            link_checks::check_anew(&write, before.id).await?;
        }
        upstream.revision = Set(before.revision + 1);
        upstream.updated_at = Set(scope.now());
        let update = upstream::Entity::update(upstream)
            .validate()?
            .filter(upstream::Column::Revision.eq(before.revision));
        let after = update.exec(write.on()).await.map_err(|error| match error {
            DbErr::RecordNotUpdated => {
                Error::conflict("the upstream was changed by another request at the same time")
            }
            error => error.into(),
        })?;
        self.record(&write, scope, "updateUpstream", (Some(before), Some(&after))).await?;
        Ok(after)
    }

    fn changed(&self, before: &Upstream, change: &UpstreamChange) -> Result<upstream::ActiveModel> {
        let mut upstream = before.clone().into_active_model();
        if let Some(name) = &change.name {
            upstream.name = Set(name.as_str().to_owned());
        }
        if let Some(base_url) = &change.base_url {
            upstream.base_url = Set(base_url.as_str().to_owned());
        }
        if let Some(credential) = &change.credential {
            let authentication = credential.authentication();
            authentication.require_for(System::from_name(&before.system)?)?;
            upstream.authentication = Set(authentication.as_str().to_owned());
            upstream.sealed_credential =
                Set(self.seal(before.id, before.owner_tenant_id, credential));
        }
        if change.ca_certificate != Patch::Keep {
            upstream.ca_certificate = Set(change.ca_certificate.value().cloned());
        }
        if let Some(time_zone) = &change.time_zone {
            upstream.time_zone = Set(time_zone.clone());
        }
        Ok(upstream)
    }

    /// Removes an installation of the scope.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `CONFLICT` while tenants are linked to it.
    pub async fn remove(&self, scope: &TenantScope, id: &str) -> Result<Upstream> {
        scope.change(&self.database, |write| self.remove_in(write, scope, id)).await
    }

    async fn remove_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<Upstream> {
        let upstream = self.in_scope(&write, scope, id).await?;
        if link::Entity::using(upstream.id).one(write.on()).await?.is_some() {
            return Err(Error::conflict("tenants are linked to this upstream: unlink them first"));
        }
        upstream.clone().delete(write.on()).await?;
        self.record(&write, scope, "removeUpstream", (Some(&upstream), None)).await?;
        Ok(upstream)
    }

    /// Records that an installation is about to be called with its stored credential, to see
    /// whether it answers.
    ///
    /// # Errors
    /// If the database refuses; it must not be called then.
    pub async fn begin_test<'a>(
        &'a self,
        scope: &'a TenantScope,
        tested: &Connection,
    ) -> Result<Attempt<'a>> {
        let entry = Entry {
            operation: "testUpstream",
            tenant: tested.tenant,
            subject: tested.endpoint.upstream.to_string(),
            before: None,
            after: None,
        };
        Attempt::begin(&self.database, &*self.entropy, scope, entry).await
    }

    pub(super) async fn in_scope(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<Upstream> {
        let id: UpstreamId = id.parse().map_err(|_| Error::not_found(WHAT))?;
        let found = upstream::Entity::of_tenant(scope)
            .filter(upstream::Column::Id.eq(id))
            .one(write.on())
            .await?;
        found.ok_or_else(|| Error::not_found(WHAT))
    }

    fn seal(&self, id: UpstreamId, owner: TenantId, credential: &Credential) -> Vec<u8> {
        self.master.seal(&*self.entropy, &binding(id, owner), &credential.to_bytes())
    }

    async fn record(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        operation: &'static str,
        (before, after): (Option<&Upstream>, Option<&Upstream>),
    ) -> Result<()> {
        let one = before.or(after).ok_or_else(|| Error::internal("nothing to record"))?;
        let entry = Entry {
            operation,
            tenant: one.owner_tenant_id,
            subject: one.id.to_string(),
            before: before.map(state),
            after: after.map(state),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await
    }
}

/// Refuses to move an upstream to a base URL where one of its links and a link of another upstream
/// would mean the same tenant.
async fn require_free_place(write: &Write<'_>, upstream: &Upstream, base_url: &str) -> Result<()> {
    write.lock(AdvisoryLock::Links).await?;
    let own = link::Entity::using(upstream.id).filter(link::Column::RemoteTenantId.is_not_null());
    let own: Vec<String> =
        own.all(write.on()).await?.into_iter().filter_map(|link| link.remote_tenant_id).collect();
    let there = upstream::Entity::at_place(upstream.owner_tenant_id, &upstream.system, base_url);
    let others = link::Entity::using_any(there.filter(upstream::Column::Id.ne(upstream.id)));
    let taken: HashSet<String> = others
        .all(write.on())
        .await?
        .into_iter()
        .filter_map(|link| link.remote_tenant_id)
        .collect();
    if own.iter().any(|remote| taken.contains(remote)) {
        return Err(Error::conflict(TAKEN_THERE));
    }
    Ok(())
}

async fn has_room(on: &impl ConnectionTrait, scope: &TenantScope) -> Result<()> {
    match upstream::Entity::owned_by(scope.tenant()).count(on).await? {
        0..OWNED_MAX => Ok(()),
        _ => Err(Error::conflict("a tenant owns at most 1,000 upstreams")),
    }
}
