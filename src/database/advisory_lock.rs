//! Advisory locks, by which transactions of all nodes exclude each other where there is no row to
//! lock.

use sea_orm::ConnectionTrait;

use super::{MIGRATION_LOCK, Write};
use crate::error::Result;
use crate::ids::TenantId;

/// A lock that a transaction holds until it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvisoryLock {
    /// Whether there is a tenant at all.
    FirstTenant,
    /// The administrators of tenants.
    Administrators,
    /// The tree of tenants.
    TenantTree,
    /// The links of tenants, and the base URLs of installations.
    Links,
    /// The identity providers of tenants.
    IdentityProviders,
    /// The number of undecided device codes.
    DeviceCodes,
    /// The number of clients of a tenant.
    ClientsOf(TenantId),
    /// The number of users of a tenant, and their addresses.
    UsersOf(TenantId),
}

impl AdvisoryLock {
    fn key(self) -> i64 {
        match self {
            Self::FirstTenant => MIGRATION_LOCK + 1,
            Self::Administrators => MIGRATION_LOCK + 2,
            Self::TenantTree => MIGRATION_LOCK + 3,
            Self::Links => MIGRATION_LOCK + 4,
            Self::IdentityProviders => MIGRATION_LOCK + 5,
            Self::DeviceCodes => MIGRATION_LOCK + 6,
            // Two tenants with the same number only wait for each other.
            Self::ClientsOf(tenant) => tenant.0.as_u64_pair().0.cast_signed(),
            Self::UsersOf(tenant) => tenant.0.as_u64_pair().1.cast_signed(),
        }
    }
}

impl Write<'_> {
    /// Waits until no other transaction holds the lock, and holds it until this one ends. On
    /// SQLite, where one transaction writes at a time, it does nothing.
    ///
    /// # Errors
    /// If the database refuses, or the lock is not free within the busy timeout.
    pub async fn lock(&self, lock: AdvisoryLock) -> Result<()> {
        if !self.is_sqlite() {
            let sql = format!("SELECT pg_advisory_xact_lock({})", lock.key());
            self.on().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    fn is_sqlite(&self) -> bool {
        self.on().get_database_backend() == sea_orm::DatabaseBackend::Sqlite
    }
}
