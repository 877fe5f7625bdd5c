//! The access of a client or user in a tenant, cached for a few seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use quick_cache::sync::Cache;

use super::entity::{self, SubjectState};
use super::token_restriction::TokenRestriction;
use crate::clock::{Clock, MonotonicTime, Timestamp};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::ids::{SubjectId, TenantId};
use crate::roles::{Permission, Permissions, Role};
use crate::tokens::{Claims, Revocations};

/// A role that applies in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// The role.
    pub role: Role,
    /// The tenant that it is held in: the tenant itself, or one above.
    pub via: TenantId,
    /// When it ends; never if absent.
    pub expires_at: Option<Timestamp>,
}

/// The roles of a caller in one tenant, and the part of their permissions that the token's scope
/// allows. Without any role, the caller may not enter the tenant.
#[derive(Clone, Debug)]
pub struct Access {
    held: Arc<[RoleGrant]>,
    let_through: Permissions,
}

impl Access {
    /// Full access without an end, for the local operator.
    pub(super) fn full(tenant: TenantId) -> Self {
        let held = RoleGrant { role: Role::Administrator, via: tenant, expires_at: None };
        Self { held: [held].into(), let_through: Permissions::ALL }
    }

    /// The same roles, limited to these permissions.
    pub(super) fn narrowed(&self, let_through: Permissions) -> Self {
        Self { held: self.held.clone(), let_through }
    }

    /// The roles that have not ended.
    pub fn roles(&self, now: Timestamp) -> impl Iterator<Item = &RoleGrant> {
        self.held.iter().filter(move |held| held.expires_at.is_none_or(|end| now < end))
    }

    /// Whether a role that has not ended grants the permission.
    pub fn permits(&self, permission: Permission, now: Timestamp) -> bool {
        self.let_through.contains(permission)
            && self.roles(now).any(|held| held.role.permits(permission))
    }

    /// All permissions that the roles grant which have not ended.
    pub fn permissions(&self, now: Timestamp) -> Permissions {
        Permissions::of(
            Permission::ALL.into_iter().filter(|permission| self.permits(*permission, now)),
        )
    }

    /// Until when a permission is held here: `None` if it is not held at all, otherwise the end of
    /// the longest of the roles that permit it, or `Some(None)` if one of them does not end.
    pub fn permits_until(
        &self,
        permission: Permission,
        now: Timestamp,
    ) -> Option<Option<Timestamp>> {
        if !self.let_through.contains(permission) {
            return None;
        }
        let holds = self.roles(now).filter(|held| held.role.permits(permission));
        // No end beats any end.
        let longest =
            holds.map(|held| held.expires_at.map_or(i64::MAX, Timestamp::millis)).max()?;
        Some((longest != i64::MAX).then(|| Timestamp::from_millis(longest)))
    }

    /// Until when everything that `role` permits is held here: `None` if a permission of it is not
    /// held at all, otherwise the end of the shortest of the holds, or `Some(None)` if none of them
    /// ends.
    pub fn covers(&self, role: Role, now: Timestamp) -> Option<Option<Timestamp>> {
        let mut until: Option<Timestamp> = None;
        for permission in role.permissions() {
            let end = self.permits_until(*permission, now)?;
            until = [until, end].into_iter().flatten().min();
        }
        Some(until)
    }

    /// Whether everything that `role` permits is held here at least until that end; `None` is no
    /// end.
    pub fn covers_until(&self, role: Role, end: Option<Timestamp>, now: Timestamp) -> bool {
        match self.covers(role, now) {
            None => false,
            Some(None) => true,
            Some(Some(own_end)) => end.is_some_and(|end| end <= own_end),
        }
    }
}

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
            let whole = Arc::new(access(held.remove(tenant).unwrap_or_default()));
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
        let access = access(held);
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
        let open = !claims.tenant_only || access(held).roles(self.now()).next().is_some();
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
            whole: Arc::new(access(held)),
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

fn access(held: Vec<entity::GrantRow>) -> Access {
    let held = held.into_iter().filter_map(|held| {
        let role = Role::from_id(held.role_id)?;
        Some(RoleGrant { role, via: held.via, expires_at: held.expires_at })
    });
    Access { held: held.collect(), let_through: Permissions::ALL }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const NOW: Timestamp = Timestamp::from_millis(1_000);
    const SOON: Timestamp = Timestamp::from_millis(2_000);
    const LATER: Timestamp = Timestamp::from_millis(3_000);

    fn access(held: &[(Role, Option<Timestamp>)]) -> Access {
        let via = TenantId::random(&SystemEntropy);
        let held = held.iter().map(|&(role, expires_at)| RoleGrant { role, via, expires_at });
        Access { held: held.collect(), let_through: Permissions::ALL }
    }

    #[test]
    fn role_ends_at_its_expiry() {
        let access = access(&[(Role::Auditor, Some(SOON))]);
        assert!(access.permits(Permission::ReadClients, NOW));
        assert!(!access.permits(Permission::ReadClients, SOON));
    }

    #[test]
    fn weaker_role_is_covered_and_a_stronger_one_is_not() {
        let analyst = access(&[(Role::Analyst, None)]);
        assert_eq!(analyst.covers(Role::Responder, NOW), Some(None));
        assert_eq!(analyst.covers(Role::Auditor, NOW), Some(None));
        assert_eq!(analyst.covers(Role::Administrator, NOW), None);
    }

    #[test]
    fn two_roles_together_cover_what_neither_does_alone() {
        let both = access(&[(Role::Responder, Some(LATER)), (Role::Auditor, Some(SOON))]);
        assert_eq!(both.covers(Role::Auditor, NOW), Some(Some(SOON)));
        assert_eq!(both.covers(Role::Responder, NOW), Some(Some(LATER)));
        assert_eq!(both.covers(Role::Analyst, NOW), None);
    }

    #[test]
    fn expiring_role_does_not_cover_a_longer_one() {
        let limited = access(&[(Role::Administrator, Some(SOON))]);
        assert!(limited.covers_until(Role::Auditor, Some(SOON), NOW));
        assert!(!limited.covers_until(Role::Auditor, Some(LATER), NOW));
        assert!(!limited.covers_until(Role::Auditor, None, NOW));
        let both = access(&[(Role::Administrator, Some(SOON)), (Role::Auditor, None)]);
        assert!(
            both.covers_until(Role::Auditor, None, NOW)
                && !both.covers_until(Role::Analyst, None, NOW)
        );
    }

    #[test]
    fn narrowed_token_neither_uses_nor_grants_permissions_beyond_its_scope() {
        let whole = access(&[(Role::Administrator, None)]);
        let narrowed = whole.narrowed(Permissions::of(Role::Auditor.permissions().iter().copied()));
        assert!(narrowed.permits(Permission::ReadClients, NOW));
        assert!(!narrowed.permits(Permission::ManageClients, NOW));
        assert_eq!(narrowed.covers(Role::Auditor, NOW), Some(None));
        assert_eq!(narrowed.covers(Role::Responder, NOW), None);
    }

    #[test]
    fn scope_never_widens() {
        let auditor = access(&[(Role::Auditor, None)]).narrowed(Permissions::ALL);
        assert!(!auditor.permits(Permission::ManageClients, NOW));
    }
}
