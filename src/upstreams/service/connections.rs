//! Connections to installations: found by link, ownership or record, with the credential unsealed.

use std::sync::Arc;

use futures_util::FutureExt;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{Remembered, Upstreams, WHAT};
use crate::auth::TenantScope;
use crate::error::{Error, ErrorCode, Result, UpstreamDetail};
use crate::ids::UpstreamId;
use crate::outbound::{BaseUrl, Endpoint};
use crate::roles::Permission;
use crate::upstreams::connection::Connection;
use crate::upstreams::entity::{link, upstream};
use crate::upstreams::link_check::LinkState;
use crate::upstreams::model::{Authentication, Credential, Link, System, Upstream, binding};

impl Upstreams {
    /// The connection of the scope's tenant to its installation of that system.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if it has none.
    pub async fn connection(&self, scope: &TenantScope, system: System) -> Result<Arc<Connection>> {
        let key = (scope.tenant(), system);
        let known = self.connections.get(&key);
        if let Some(known) = known.filter(|known| scope.is_fresh(known.asked_at, known.version)) {
            return Ok(known.connection);
        }
        let asked_at = scope.monotonic();
        let version = scope.version();
        // Boxed: keeps the database lookup out of the size of the hot future.
        let connection = Arc::new(self.read_connection(scope, system).boxed().await?);
        self.connections
            .insert(key, Remembered { connection: connection.clone(), asked_at, version });
        Ok(connection)
    }

    async fn read_connection(&self, scope: &TenantScope, system: System) -> Result<Connection> {
        let links =
            link::Entity::of_this_tenant(scope).filter(link::Column::System.eq(system.as_str()));
        let link =
            links.one(self.database.reader()).await?.ok_or_else(|| not_linked(scope, system))?;
        let upstream = upstream::Entity::of_link(&link).one(self.database.reader()).await?;
        self.connect(scope, &upstream.ok_or_else(|| not_linked(scope, system))?, Some(&link))
    }

    /// The connection of the scope's tenant to an installation that it owns: the one with that id,
    /// else the one that it is linked to, else its only one.
    ///
    /// # Errors
    /// `NOT_FOUND` for one that it does not own; `UPSTREAM_NOT_LINKED` if it owns none, `CONFLICT`
    /// if it owns several and no id was given.
    pub async fn owned(
        &self,
        scope: &TenantScope,
        system: System,
        id: Option<&str>,
    ) -> Result<Connection> {
        let owned = upstream::Entity::owned_by(scope.tenant())
            .filter(upstream::Column::System.eq(system.as_str()));
        let owned = match id {
            Some(id) => {
                let id: UpstreamId = id.parse().map_err(|_| Error::not_found(WHAT))?;
                owned.filter(upstream::Column::Id.eq(id)).all(self.database.reader()).await?
            }
            None => owned.all(self.database.reader()).await?,
        };
        let links =
            link::Entity::of_this_tenant(scope).filter(link::Column::System.eq(system.as_str()));
        let link = links.one(self.database.reader()).await?;
        let linked =
            |upstream: &Upstream| link.as_ref().is_some_and(|link| link.upstream_id == upstream.id);
        let chosen = match (owned.as_slice(), id) {
            ([], Some(_)) => return Err(Error::not_found(WHAT)),
            ([], None) => return Err(not_linked(scope, system)),
            ([only], _) => only,
            (several, _) => several.iter().find(|upstream| linked(upstream)).ok_or_else(|| {
                Error::conflict(
                    "the tenant in context owns several upstreams of this kind: name one by its id",
                )
            })?,
        };
        self.connect(scope, chosen, link.as_ref().filter(|_| linked(chosen)))
    }

    /// The connection of the scope's tenant to the installation that a recorded task was started
    /// at, even if the tenant is no longer linked to it.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if the installation is gone.
    pub async fn of_record(&self, scope: &TenantScope, id: UpstreamId) -> Result<Connection> {
        let upstream = upstream::Entity::of_record(id).one(self.database.reader()).await?;
        let upstream = upstream.ok_or_else(|| not_linked(scope, System::IntegrationServer))?;
        self.connect(scope, &upstream, None)
    }

    /// The same for a caller, who may use it only while the scope's tenant owns the installation or
    /// is linked to the remote tenant of the record.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` otherwise.
    pub async fn of_open_record(
        &self,
        scope: &TenantScope,
        id: UpstreamId,
        remote_tenant_id: Option<&str>,
    ) -> Result<Connection> {
        let connection = self.of_record(scope, id).await?;
        let links = link::Entity::of_this_tenant(scope).filter(link::Column::UpstreamId.eq(id));
        let link = links.one(self.database.reader()).await?;
        let is_linked =
            link.is_some_and(|link| link.remote_tenant_id.as_deref() == remote_tenant_id);
        if connection.owns || is_linked {
            Ok(connection)
        } else {
            Err(not_linked(scope, connection.system))
        }
    }

    /// The connection to an installation to clean up what was created there for the scope's tenant,
    /// even if the tenant is no longer linked to it. Its owner is the tenant or a tenant above it.
    ///
    /// # Errors
    /// `NOT_FOUND` for one that the tenant could never be linked to.
    pub async fn to_clean_up(
        &self,
        scope: &TenantScope,
        upstream: UpstreamId,
    ) -> Result<Connection> {
        let found = upstream::Entity::above(scope).filter(upstream::Column::Id.eq(upstream));
        let found =
            found.one(self.database.reader()).await?.ok_or_else(|| Error::not_found(WHAT))?;
        self.connect(scope, &found, None)
    }

    /// The connection to an installation in the name of its owner, to test it.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` if the caller may not manage the owner's
    /// installations.
    pub async fn to_test(&self, scope: &TenantScope, id: &str) -> Result<Connection> {
        let upstream = self.find(scope, id).await?;
        let scope = scope.within(upstream.owner_tenant_id, Permission::ManageUpstreams).await?;
        self.connect(&scope, &upstream, None)
    }

    pub(super) fn connect(
        &self,
        scope: &TenantScope,
        upstream: &Upstream,
        link: Option<&Link>,
    ) -> Result<Connection> {
        let system = System::from_name(&upstream.system)?;
        let sealed = self
            .master
            .open(&binding(upstream.id, upstream.owner_tenant_id), &upstream.sealed_credential)?;
        let credential =
            Credential::from_bytes(Authentication::from_name(&upstream.authentication)?, sealed)?;
        Ok(Connection {
            tenant: scope.tenant(),
            link: link.map(|link| link.id),
            remote_tenant_id: link.and_then(|link| link.remote_tenant_id.clone()),
            verification: link
                .map_or(LinkState::Pending, |link| LinkState::from_name(&link.verification)),
            owns: upstream.owner_tenant_id == scope.tenant(),
            system,
            endpoint: Arc::new(Endpoint {
                upstream: upstream.id,
                owner: upstream.owner_tenant_id,
                system: system.as_str(),
                revision: upstream.revision,
                // Checked again: the settings may have changed since it was registered.
                base_url: BaseUrl::parse("baseURL", &upstream.base_url, self.policy)
                    .map_err(|error| unusable(scope, system, error))?,
                ca_certificate: upstream.ca_certificate.clone(),
            }),
            credential: Arc::new(credential),
            time_zone: upstream.time_zone.as_str().into(),
        })
    }
}

pub(super) fn not_linked(scope: &TenantScope, system: System) -> Error {
    let what = match system {
        System::DeepSecurity => "the tenant is not linked to a Deep Security manager",
        System::IntegrationServer => "the tenant is not linked to an Integration Server",
    };
    Error::new(ErrorCode::UpstreamNotLinked, what).of_tenant(scope.tenant())
}

fn unusable(scope: &TenantScope, system: System, error: Error) -> Error {
    let detail = UpstreamDetail { system: system.as_str(), status: None, code: None };
    let message = "the settings of the gateway do not let it call this legacy system";
    let refused =
        Error::new(ErrorCode::UpstreamUnavailable, message).because(error.message().to_owned());
    refused.of_upstream(detail).of_tenant(scope.tenant())
}
