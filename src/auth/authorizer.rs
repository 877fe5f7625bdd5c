//! Determines access, and caches it for a few seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::access::Access;
use super::entity::{self, SubjectState};
use super::presented::TokenRestriction;
use crate::clock::{Clock, MonotonicTime, Timestamp};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::ids::{SubjectId, TenantId};
use crate::roles::Permissions;
use crate::tokens::{Claims, Revocations};

/// The subject's state and its roles in a tenant, as the database had them at one moment.
#[derive(Debug)]
pub(super) struct AccessSnapshot {
    pub subject: Option<SubjectState>,
    whole: Arc<Access>,
    asked_at: MonotonicTime,
    version: u64,
}

/// Determines the access of subjects in tenants, from a cache where an entry is young enough.
pub struct Authorizer {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    max_age: Duration,
    // The key has subject and tenant, so that one caller's entry never serves another.
    snapshots: Cache<(SubjectId, TenantId, Below), Arc<AccessSnapshot>>,
    version: AtomicU64,
    revocations: Arc<Revocations>,
}

/// The tenant at or below which a tenant must be for the subject to have access to it.
type Below = TenantId;

impl Authorizer {
    /// Caches at most `capacity` entries, none for longer than `max_age`.
    pub fn new(
        database: Arc<Database>,
        clock: Arc<dyn Clock>,
        max_age: Duration,
        capacity: usize,
    ) -> Self {
        let revocations =
            Arc::new(Revocations::new(database.clone(), clock.clone(), max_age, capacity));
        Self {
            database,
            clock,
            max_age,
            snapshots: Cache::new(capacity),
            version: AtomicU64::new(0),
            revocations,
        }
    }

    /// The tokens that were ended before their time.
    pub fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The monotonic clock, by which ages on this node are measured.
    pub fn monotonic(&self) -> MonotonicTime {
        self.clock.monotonic()
    }

    /// A number that changes when a subject, a role or a tenant is changed through this node. Data
    /// that was read under an older number is stale.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    /// Whether data read at that moment, under that version, may still be used.
    pub fn is_fresh(&self, asked_at: MonotonicTime, version: u64) -> bool {
        version == self.version() && self.clock.monotonic().since(asked_at) < self.max_age
    }

    /// Invalidates the cache. Call it after each commit that takes access away.
    pub fn forget(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns the access of a token of the subject with this restriction; nothing if either
    /// does not exist or is disabled.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn access(
        &self,
        subject: SubjectId,
        tenant: TenantId,
        restriction: TokenRestriction,
    ) -> Result<Arc<Access>> {
        Ok(self.snapshot(subject, tenant, restriction).await?.access(restriction))
    }

    /// The same where it was read moments ago.
    pub(super) fn known_access(
        &self,
        subject: SubjectId,
        tenant: TenantId,
        restriction: TokenRestriction,
    ) -> Option<Arc<Access>> {
        let below = restriction.tenant().unwrap_or(tenant);
        let known = self.snapshots.get(&(subject, tenant, below))?;
        self.is_fresh(known.asked_at, known.version).then(|| known.access(restriction))
    }

    /// As [`Authorizer::access`], for many tenants in one statement. It always asks the database,
    /// and caches the result.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub(super) async fn access_in_each(
        &self,
        subject: SubjectId,
        tenants: &[TenantId],
        restriction: TokenRestriction,
    ) -> Result<HashMap<TenantId, Arc<Access>>> {
        // Read the version before the database: a change in between then makes the entry stale.
        let version = self.version();
        let asked_at = self.clock.monotonic();
        let reader = self.database.reader();
        let rows = entity::held_in_each(reader, subject, tenants, restriction.tenant()).await?;
        // After the roles: a subject that is deleted in between is not found here.
        let state = entity::subject(reader, subject).await?;
        let mut held: HashMap<TenantId, Vec<entity::GrantRow>> = HashMap::new();
        for row in rows {
            held.entry(row.tenant_id).or_default().push(row.held);
        }
        let accesses = tenants.iter().map(|tenant| {
            let whole = Arc::new(Access::of(held.remove(tenant).unwrap_or_default()));
            let state = state.clone();
            let snapshot = Arc::new(AccessSnapshot { subject: state, whole, asked_at, version });
            let key = (subject, *tenant, restriction.tenant().unwrap_or(*tenant));
            self.snapshots.insert(key, snapshot.clone());
            (*tenant, snapshot.access(restriction))
        });
        Ok(accesses.collect())
    }

    /// Returns the permissions that a token may be narrowed to: all of its roles in the tenant,
    /// or in any tenant if none is named. Nothing if no role reaches into the tenant.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn grantable(
        &self,
        subject: SubjectId,
        tenant: Option<TenantId>,
    ) -> Result<Option<Permissions>> {
        let reader = self.database.reader();
        let held = match tenant {
            Some(tenant) => entity::held(reader, subject, tenant, tenant).await?,
            None => entity::held_anywhere(reader, subject).await?,
        };
        let access = Access::of(held);
        let now = self.now();
        Ok(access.roles(now).next().map(|_| access.permissions(now)))
    }

    /// Whether a verified token works at this moment, asked of the database and not of memory: its
    /// subject and generation live, it is not revoked, and where it was narrowed to a tenant, that
    /// is still open to it.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn is_live(&self, claims: &Claims) -> Result<bool> {
        let reader = self.database.reader();
        let tenant = claims.tenant_id;
        let subject = claims.subject();
        let (state, held, revoked) = tokio::try_join!(
            async { Ok(entity::subject(reader, subject).await?) },
            async { Ok(entity::held(reader, subject, tenant, tenant).await?) },
            self.revocations.has_now(claims.jti),
        )?;
        let open = !claims.tenant_only || Access::of(held).roles(self.now()).next().is_some();
        Ok(!revoked
            && open
            && state.is_some_and(|state| state.live && state.token_generation == claims.generation))
    }

    /// Whether the subject is enabled and its tenant open at this moment, asked of the database.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn is_enabled(&self, subject: SubjectId) -> Result<bool> {
        let state = entity::subject(self.database.reader(), subject).await?;
        Ok(state.is_some_and(|state| state.live))
    }

    /// The tenant that a subject belongs to; nothing if there is no such subject.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn home_of(&self, subject: SubjectId) -> Result<Option<TenantId>> {
        Ok(entity::subject(self.database.reader(), subject).await?.map(|state| state.home))
    }

    /// Whether the one tenant is the other or is below it.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn is_at_or_below(&self, tenant: TenantId, top: TenantId) -> Result<bool> {
        Ok(tenant == top || entity::is_at_or_below(self.database.reader(), tenant, top).await?)
    }

    pub(super) async fn snapshot(
        &self,
        subject: SubjectId,
        tenant: TenantId,
        restriction: TokenRestriction,
    ) -> Result<Arc<AccessSnapshot>> {
        let below = restriction.tenant().unwrap_or(tenant);
        let key = (subject, tenant, below);
        if let Some(snapshot) = self.snapshots.get(&key)
            && self.is_fresh(snapshot.asked_at, snapshot.version)
        {
            return Ok(snapshot);
        }
        // Read the version before the database: a change in between then makes the entry stale.
        let version = self.version();
        let asked_at = self.clock.monotonic();
        let reader = self.database.reader();
        // Boxed: keeps the cold path out of the future's size for requests that hit the cache.
        let asked = async {
            let (state, held) = tokio::try_join!(
                entity::subject(reader, subject),
                entity::held(reader, subject, tenant, below)
            )?;
            // The queries run concurrently: a subject deleted between them has no roles and yet
            // seems to exist, so its state is read again.
            let state =
                if held.is_empty() { entity::subject(reader, subject).await? } else { state };
            Ok::<_, Error>((state, held))
        };
        let (state, held) = asked.boxed().await?;
        let snapshot = Arc::new(AccessSnapshot {
            subject: state,
            whole: Arc::new(Access::of(held)),
            asked_at,
            version,
        });
        self.snapshots.insert(key, snapshot.clone());
        Ok(snapshot)
    }
}

impl AccessSnapshot {
    /// Returns the access of a token with this restriction.
    pub(super) fn access(&self, restriction: TokenRestriction) -> Arc<Access> {
        match restriction.permissions() {
            Permissions::ALL => self.whole.clone(),
            let_through => Arc::new(self.whole.narrowed(let_through)),
        }
    }
}
