//! How old secrets may become.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sea_orm::{ColumnTrait, ConnectionTrait, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::Result;
use crate::ids::{ClientId, RoleId, TenantId};
use crate::tenants::entity::secret_age::{
    clients_with_older_secrets, end_older_secrets, live_roles,
};
use crate::tenants::entity::{Column, Entity};

/// The number of clients per statement: SQLite allows 32,766 parameters.
const CLIENTS_AT_ONCE: i64 = 20_000;

/// The strictest limit on the age of secrets at the tenant or above it, in seconds.
///
/// # Errors
/// If the database cannot be asked.
pub async fn max_secret_age_seconds(
    on: &impl ConnectionTrait,
    tenant: TenantId,
) -> Result<Option<i64>> {
    let strictest = Entity::at_or_above(tenant)
        .select_only()
        .column_as(Column::MaxSecretAgeSeconds.min(), "strictest")
        .into_tuple::<Option<i64>>()
        .one(on)
        .await?;
    Ok(strictest.flatten())
}

/// Locks the policies of the tenant and its ancestors until the transaction ends: a change of a
/// policy waits, and then sees the secrets created meanwhile. Must be called before clients are
/// locked.
///
/// # Errors
/// If the database refuses.
pub async fn share_policies(on: &impl ConnectionTrait, tenant: TenantId) -> Result<()> {
    let ids = Entity::at_or_above(tenant).select_only().column(Column::Id).order_by_asc(Column::Id);
    ids.lock_shared().into_tuple::<TenantId>().all(on).await?;
    Ok(())
}

/// Limits the age of the secrets of clients in the tenant and below it over which the caller has
/// authority. Secrets of other clients stay unchanged, since a policy must not end secrets that its
/// setter could not; their later secrets fall under it. The transaction locks the tenant.
///
/// # Errors
/// If the database refuses.
pub(super) async fn limit(
    write: &Write<'_>,
    scope: &TenantScope,
    tenant: TenantId,
    age: Duration,
) -> Result<()> {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let mut authority = Authority { scope, known: HashMap::new() };
    let mut last = ClientId(Uuid::nil());
    loop {
        let on = write.on();
        let some = clients_with_older_secrets(on, tenant, age, last, CLIENTS_AT_ONCE).await?;
        let Some(end) = some.last() else { return Ok(()) };
        last = *end;
        let mut spared = HashSet::new();
        for held in live_roles(on, &some, scope.now()).await? {
            if !authority.over(held.role_id, held.tenant_id, held.expires_at).await? {
                spared.insert(held.client_id);
            }
        }
        let ended: Vec<ClientId> =
            some.into_iter().filter(|client| !spared.contains(client)).collect();
        end_older_secrets(on, &ended, age).await?;
    }
}

/// Cached checks of the caller's authority: many clients hold the same role in the same tenant.
struct Authority<'a> {
    scope: &'a TenantScope,
    known: HashMap<(RoleId, TenantId, Option<Timestamp>), bool>,
}

impl Authority<'_> {
    async fn over(
        &mut self,
        role: RoleId,
        held_in: TenantId,
        expires_at: Option<Timestamp>,
    ) -> Result<bool> {
        let hold = (role, held_in, expires_at);
        if let Some(known) = self.known.get(&hold) {
            return Ok(*known);
        }
        let found = self.scope.has_authority_over(role, held_in, expires_at).await?;
        self.known.insert(hold, found);
        Ok(found)
    }
}
