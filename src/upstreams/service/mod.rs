//! Registering installations, linking tenants to them, and finding the way to them.

mod links;

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::FutureExt;
use quick_cache::sync::Cache;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};

use super::connection::Connection;
use super::entity::{link, upstream};
use super::link_check::LinkState;
use super::link_ref::LinkRef;
use super::model::{
    Authentication, Credential, Link, NewUpstream, System, Upstream, UpstreamChange, binding, state,
};
use crate::audit::{self, Attempt, Entry};
use crate::auth::TenantScope;
use crate::clock::MonotonicTime;
use crate::database::{AdvisoryLock, Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::outbound::{AddressPolicy, BaseUrl, Endpoint};
use crate::roles::Permission;
use crate::seal::MasterKey;

const WHAT: &str = "upstream";

const TAKEN_THERE: &str = "at that baseURL, a tenant linked to this upstream and another tenant \
    would be linked to the same tenant of the installation: unlink one of them first";

/// The most installations that a tenant may own, so that their list stays one page.
const OWNED_MAX: u64 = 1000;

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
        let change_needs_check = change.base_url.is_some() || change.credential.is_some();
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
        if change_needs_check {
            links::check_anew(&write, before.id).await?;
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

/// Reseals every credential that the previous master key sealed, and returns how many. It may be
/// stopped and run again.
///
/// # Errors
/// If the database fails, or a credential was sealed by neither key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in upstream::Entity::all_rows().all(database.reader()).await? {
        let anew = master.rewrap(
            entropy,
            &binding(row.id, row.owner_tenant_id),
            &row.sealed_credential,
        )?;
        if let Some(anew) = anew {
            // Replaces only the value that was read: a credential changed meanwhile is sealed by
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
