//! Registering installations, linking tenants to them, and finding the way to them.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::FutureExt;
use quick_cache::sync::Cache;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set, SqlErr,
};

use super::connection::Connection;
use super::entity::{link, upstream};
use super::model::{
    Authentication, Credential, Link, NewLink, NewUpstream, System, Upstream, UpstreamChange,
    binding, canonical_remote_id, link_state, state, subject,
};
use crate::audit::{self, Attempt, Entry};
use crate::auth::TenantScope;
use crate::clock::MonotonicTime;
use crate::database::{AdvisoryLock, Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{LinkId, TenantId, UpstreamId};
use crate::outbound::{AddressPolicy, BaseUrl, Endpoint};
use crate::roles::Permission;
use crate::seal::MasterKey;

const WHAT: &str = "upstream";

const TAKEN: &str = "the tenant is linked to a system of this kind already, or another tenant is linked to that tenant of it";

const TAKEN_THERE: &str = "a tenant that is linked to this upstream would share its tenant of the installation at that baseURL with \
    another tenant: unlink one of them first";

/// A tenant may own so many installations; nobody has more, and the list stays one page.
const OWNED_MAX: u64 = 1000;

/// The installations in a database.
pub struct Upstreams {
    database: Arc<Database>,
    master: Arc<MasterKey>,
    entropy: Arc<dyn Entropy>,
    policy: AddressPolicy,
    connections: Cache<(TenantId, System), Remembered>,
}

/// The tenant of ours that sees a tenant of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegacyTenant {
    /// The one that is linked to it.
    Linked(TenantId),
    /// The one that owns the installation.
    OfOwner(TenantId),
}

/// A connection, and when it was read.
#[derive(Clone)]
struct Remembered {
    connection: Arc<Connection>,
    asked_at: MonotonicTime,
    version: u64,
}

impl Upstreams {
    /// The installations in that database; the addresses of new ones obey the policy. At most
    /// `capacity` connections are remembered, as long as what a caller may do.
    pub fn new(
        database: Arc<Database>,
        master: Arc<MasterKey>,
        entropy: Arc<dyn Entropy>,
        policy: AddressPolicy,
        capacity: usize,
    ) -> Self {
        Self { database, master, entropy, policy, connections: Cache::new(capacity) }
    }

    /// Where the ids of installations come from.
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// Which addresses an installation may have.
    pub fn policy(&self) -> AddressPolicy {
        self.policy
    }

    /// The way of the scope's tenant to its installation of that system.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if it has none.
    pub async fn connection(&self, scope: &TenantScope, system: System) -> Result<Arc<Connection>> {
        let key = (scope.tenant(), system);
        let known = self.connections.get(&key);
        if let Some(known) = known.filter(|known| scope.is_fresh(known.asked_at, known.version)) {
            return Ok(known.connection);
        }
        let (asked_at, version) = (scope.monotonic(), scope.version());
        // Boxed, so that the many reads over a known connection do not carry the room that asking
        // takes.
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

    /// The way of the scope's tenant to an installation that it owns itself: the one named, else
    /// the one that it is linked to, else its only one.
    ///
    /// # Errors
    /// `NOT_FOUND` for one that it does not own; `UPSTREAM_NOT_LINKED` if it owns none, `CONFLICT`
    /// if several and none is named.
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

    /// The way of the scope's tenant to the installation that a record of work begun there names,
    /// whether or not the tenant is still linked to it.
    ///
    /// # Errors
    /// `UPSTREAM_NOT_LINKED` if the installation is gone.
    pub async fn of_record(&self, scope: &TenantScope, id: UpstreamId) -> Result<Connection> {
        let upstream = upstream::Entity::of_record(id).one(self.database.reader()).await?;
        let upstream = upstream.ok_or_else(|| not_linked(scope, System::IntegrationServer))?;
        self.connect(scope, &upstream, None)
    }

    /// The same for a caller, who may go that way only as long as the scope's tenant owns the
    /// installation or is linked to what the record is about there.
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

    /// Whether a tenant can be linked to an installation that the scope's tenant owns: it must be
    /// that tenant or stand below it, and have no link to a system of this kind.
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

    fn connect(
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
            owns: upstream.owner_tenant_id == scope.tenant(),
            system,
            endpoint: Arc::new(Endpoint {
                upstream: upstream.id,
                owner: upstream.owner_tenant_id,
                system: system.as_str(),
                revision: upstream.revision,
                // A stored one was judged when it was registered; judged again, it obeys the
                // settings of today.
                base_url: BaseUrl::parse("baseURL", &upstream.base_url, self.policy)
                    .map_err(|error| unusable(scope, system, error))?,
                ca_certificate: upstream.ca_certificate.clone(),
            }),
            credential: Arc::new(credential),
            time_zone: upstream.time_zone.as_str().into(),
        })
    }

    /// The way to an installation to take back what was made there for the scope's tenant, which
    /// may be linked to it no more. It stands at the tenant or above it.
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

    /// The way to an installation in the name of the tenant that owns it, to see whether it
    /// answers.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` if the caller may not manage the owner's
    /// installations.
    pub async fn to_test(&self, scope: &TenantScope, id: &str) -> Result<Connection> {
        let upstream = self.find(scope, id).await?;
        let scope = scope.within(upstream.owner_tenant_id, Permission::ManageUpstreams).await?;
        self.connect(&scope, &upstream, None)
    }

    /// A link of the scope.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other.
    pub async fn find_link(&self, scope: &TenantScope, id: LinkId) -> Result<Link> {
        let found = link::Entity::of_tenant(scope).filter(link::Column::Id.eq(id));
        found.one(self.database.reader()).await?.ok_or_else(|| Error::not_found("link"))
    }

    /// By whom within the scope a tenant of an installation can be seen: the tenant that is linked
    /// to it, else the owner.
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

    /// Installations that links lead to which the caller may see, each with whether the scope shows
    /// how it is reached: only its owner and the tenants above that see it.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn of_links(
        &self,
        scope: &TenantScope,
        ids: &[UpstreamId],
    ) -> Result<Vec<(Upstream, bool)>> {
        let reader = self.database.reader();
        let found = upstream::Entity::of_records(ids).all(reader).await?;
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

    /// Whether the scope's tenant may own one more, to be known before anything is made for it.
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

    /// Changes an installation of the scope that was found as `before`: what the change leaves as
    /// it is was judged by that.
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
        let after = self.database.transaction(work).await?;
        scope.forget_access();
        Ok(after)
    }

    async fn update_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        before: &Upstream,
        change: &UpstreamChange,
    ) -> Result<Upstream> {
        let system = System::from_name(&before.system)?;
        if let Some(base_url) =
            change.base_url.as_ref().filter(|url| url.as_str() != before.base_url)
        {
            require_free_place(&write, before, base_url.as_str()).await?;
        }
        let mut upstream = before.clone().into_active_model();
        if let Some(name) = &change.name {
            upstream.name = Set(name.as_str().to_owned());
        }
        if let Some(base_url) = &change.base_url {
            upstream.base_url = Set(base_url.as_str().to_owned());
        }
        if let Some(credential) = &change.credential {
            let authentication = credential.authentication();
            if !authentication.fits(system) {
                return Err(Error::bad_input("credential", "is of another kind of legacy system"));
            }
            upstream.authentication = Set(authentication.as_str().to_owned());
            upstream.sealed_credential =
                Set(self.seal(before.id, before.owner_tenant_id, credential));
        }
        if let Some(certificate) = &change.ca_certificate {
            upstream.ca_certificate = Set(certificate.clone());
        }
        if let Some(time_zone) = &change.time_zone {
            upstream.time_zone = Set(time_zone.clone());
        }
        upstream.revision = Set(before.revision + 1);
        upstream.updated_at = Set(scope.now());
        let update = upstream::Entity::update(upstream)
            .validate()?
            .filter(upstream::Column::Revision.eq(before.revision));
        let after = update.exec(write.on()).await.map_err(|error| match error {
            DbErr::RecordNotUpdated => {
                Error::conflict("the upstream was changed by somebody else at the same time")
            }
            error => error.into(),
        })?;
        self.record(&write, scope, "updateUpstream", (Some(before), Some(&after))).await?;
        Ok(after)
    }

    /// Removes an installation of the scope.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `CONFLICT` while tenants are linked to it.
    pub async fn remove(&self, scope: &TenantScope, id: &str) -> Result<Upstream> {
        let upstream = self.database.transaction(|write| self.remove_in(write, scope, id)).await?;
        scope.forget_access();
        Ok(upstream)
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

    /// Links a tenant of the scope to an installation of the scope. The tenant must be the one that
    /// owns the installation, or stand below it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a tenant or an installation outside the scope, `CONFLICT` if the tenant has
    /// a link for that kind of system already, or the tenant of the installation belongs to another
    /// of ours.
    pub async fn link(&self, scope: &TenantScope, new: NewLink) -> Result<Link> {
        let work = async |write: Arc<Write<'_>>| self.link_in(&write, scope, &new).await;
        let link = self.database.transaction(work).await?;
        scope.forget_access();
        Ok(link)
    }

    /// The same inside the caller's own transaction, after whose commit
    /// [`TenantScope::forget_access`] is to be called.
    ///
    /// # Errors
    /// As [`Upstreams::link`].
    pub async fn link_in(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        new: &NewLink,
    ) -> Result<Link> {
        // One link is made at a time, over all nodes: the installation may be registered twice, and
        // then no index sees both.
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
            let there = upstream::Entity::at_place(
                upstream.owner_tenant_id,
                &upstream.system,
                &upstream.base_url,
            );
            let taken = link::Entity::using_any(there)
                .filter(link::Column::RemoteTenantId.eq(remote.as_str()));
            if taken.one(write.on()).await?.is_some() {
                return Err(Error::conflict(TAKEN));
            }
        }
        let link = Link {
            id: LinkId::random(&*self.entropy),
            tenant_id: tenant.id,
            upstream_id: upstream.id,
            system: upstream.system.clone(),
            remote_tenant_id,
            created_at: scope.now(),
        };
        let inserted = link::Entity::insert(link.clone().into_active_model())
            .exec_without_returning(write.on())
            .await;
        if let Err(error) = inserted {
            return Err(match error.sql_err() {
                Some(SqlErr::UniqueConstraintViolation(_)) => Error::conflict(TAKEN),
                _ => error.into(),
            });
        }
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

    /// Ends a link of the scope.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope.
    pub async fn unlink(&self, scope: &TenantScope, id: &str) -> Result<Link> {
        let id: LinkId = id.parse().map_err(|_| Error::not_found("link"))?;
        let link = self.database.transaction(|write| self.unlink_in(write, scope, id)).await?;
        scope.forget_access();
        Ok(link)
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

    async fn in_scope(&self, write: &Write<'_>, scope: &TenantScope, id: &str) -> Result<Upstream> {
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

/// That no link of the upstream means a tenant which another link means already, at the place to
/// which the upstream moves.
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

fn not_linked(scope: &TenantScope, system: System) -> Error {
    let what = match system {
        System::DeepSecurity => "the tenant is not linked to a Deep Security manager",
        System::IntegrationServer => "the tenant is not linked to an Integration Server",
    };
    Error::new(ErrorCode::UpstreamNotLinked, what).of_tenant(scope.tenant())
}

fn unusable(scope: &TenantScope, system: System, error: Error) -> Error {
    let detail = crate::error::UpstreamDetail { system: system.as_str(), status: None, code: None };
    let message = "the settings of the gateway do not let it call this legacy system";
    let refused =
        Error::new(ErrorCode::UpstreamUnavailable, message).because(error.message().to_owned());
    refused.of_upstream(detail).of_tenant(scope.tenant())
}

/// Seals anew every credential that the master key before sealed; says how many. It may be stopped
/// and run again.
///
/// # Errors
/// If the database refuses, or a credential was sealed by neither of the two.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in upstream::Entity::all_rows().all(database.reader()).await? {
        let anew = master.rewrap(
            entropy,
            &binding(row.id, row.owner_tenant_id),
            &row.sealed_credential,
        )?;
        if let Some(anew) = anew {
            // Only what was read is replaced: a credential that was changed meanwhile is sealed by
            // the new key already.
            let reseal = upstream::Entity::update_many()
                .col_expr(upstream::Column::SealedCredential, sea_orm::sea_query::Expr::val(anew))
                .filter(upstream::Column::Id.eq(row.id))
                .filter(upstream::Column::SealedCredential.eq(row.sealed_credential));
            let work = async |write: Arc<Write<'_>>| Ok(reseal.clone().exec(write.on()).await?);
            database.transaction(work).await?;
            count += 1;
        }
    }
    Ok(count)
}
