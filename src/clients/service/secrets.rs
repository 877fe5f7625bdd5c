//! Rotates and retires secrets.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::Clients;
use crate::auth::TenantScope;
use crate::clients::entity::{Column, Entity, secret};
use crate::clients::model::{Client, Created};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{ClientId, SecretId};

impl Clients {
    /// Gives a client a new secret. The previous one works until the grace period ends, older ones
    /// stop at once, so at most two work at a time.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a client that the caller has no authority
    /// over.
    pub async fn rotate(&self, scope: &TenantScope, id: &str, grace: Duration) -> Result<Created> {
        self.change(scope, |write| self.replace_secrets(write, scope, id, grace, ROTATED)).await
    }

    /// Gives a client a new secret and ends all others and all its tokens at once.
    ///
    /// # Errors
    /// As [`Clients::rotate`].
    pub async fn force_rotate(&self, scope: &TenantScope, id: &str) -> Result<Created> {
        self.change(scope, |write| self.replace_secrets(write, scope, id, Duration::ZERO, FORCED))
            .await
    }

    async fn replace_secrets(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        grace: Duration,
        operation: &'static str,
    ) -> Result<Created> {
        let mut before = self.lock(&write, scope, id).await?;
        let client = before.row.id;
        let now = scope.now();
        forget_ended(write.on(), client, now).await?;
        // Secrets are ordered by time, and two rotations may happen at the same time of the clock.
        let newest = before.secrets.iter().map(|secret| secret.created_at).max();
        let made_at =
            newest.map_or(now, |newest| Ord::max(now, newest.plus(Duration::from_millis(1))));
        let mut live = before.live_secrets(now).map(|secret| secret.id);
        // Without a grace period, the newest ends now like the rest.
        if let Some(newest) = live.next() {
            end(write.on(), &[newest], now.plus(grace)).await?;
        }
        end(write.on(), &live.collect::<Vec<_>>(), now).await?;
        let secret = self.add_secret(write.on(), client, before.row.tenant_id, made_at).await?;
        if operation == FORCED {
            let next = before.row.token_generation + 1;
            let expr = Expr::value(next);
            Entity::update_many()
                .col_expr(Column::TokenGeneration, expr)
                .filter(Column::Id.eq(client))
                .exec(write.on())
                .await?;
            before.row.token_generation = next;
        }
        let client = self.finish(&write, scope, operation, before).await?;
        Ok(Created { client, secret: Some(secret) })
    }

    /// Ends one secret now. Retiring the newest one undoes the rotation that made it: the one
    /// before, if it still works, loses the end that its grace period gave it, so that no client is
    /// left with a secret that is about to stop.
    ///
    /// # Errors
    /// As [`Clients::rotate`]; `NOT_FOUND` for a secret that is not the client's or has ended;
    /// `LAST_SECRET` for the only one that works, unless the client has a key or is disabled.
    pub async fn retire(&self, scope: &TenantScope, id: &str, secret: &str) -> Result<Client> {
        self.change(scope, |write| self.retire_in(write, scope, id, secret)).await
    }

    async fn retire_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: &str,
        secret: &str,
    ) -> Result<Client> {
        let before = self.lock(&write, scope, id).await?;
        let now = scope.now();
        let live: Vec<SecretId> = before.live_secrets(now).map(|secret| secret.id).collect();
        let is_named = |live: &SecretId| live.to_string() == secret.to_ascii_lowercase();
        let position = live.iter().position(is_named);
        let position = position.ok_or_else(|| Error::not_found("secret"))?;
        if before.row.enabled && before.credentials(now) == 1 {
            let message = "the last secret of an enabled client cannot be retired: rotate it, or \
                disable or delete the client";
            return Err(Error::new(ErrorCode::LastSecret, message));
        }
        end(write.on(), &[live[position]], now).await?;
        if let (0, Some(previous)) = (position, live.get(1)) {
            keep(write.on(), *previous).await?;
        }
        self.finish(&write, scope, "retireClientSecret", before).await
    }
}

const ROTATED: &str = "rotateClientSecret";
const FORCED: &str = "forceRotateClientSecret";

/// Ends secrets at that moment, unless they end before.
async fn end(on: &impl ConnectionTrait, secrets: &[SecretId], at: Timestamp) -> Result<()> {
    use secret::Column;
    secret::Entity::update_many()
        .col_expr(Column::RetiresAt, Expr::value(at))
        .filter(Column::Id.is_in(secrets.iter().copied()))
        .filter(Column::RetiresAt.is_null().or(Column::RetiresAt.gt(at)))
        .exec(on)
        .await?;
    Ok(())
}

/// Takes back the end that a rotation gave to a secret; one by the tenant's policy stays.
async fn keep(on: &impl ConnectionTrait, secret: SecretId) -> Result<()> {
    use secret::Column;
    secret::Entity::update_many()
        .col_expr(Column::RetiresAt, Expr::value(Option::<Timestamp>::None))
        .filter(Column::Id.eq(secret))
        .exec(on)
        .await?;
    Ok(())
}

/// Deletes secrets that had ended before. The last ones stay until the next rotation, so that the
/// audit log can tell a retired secret from a wrong one.
async fn forget_ended(on: &impl ConnectionTrait, client: ClientId, now: Timestamp) -> Result<()> {
    use secret::Column;
    secret::Entity::delete_many()
        .filter(Column::ClientId.eq(client))
        .filter(Column::RetiresAt.lte(now).or(Column::ExpiresAt.lte(now)))
        .exec(on)
        .await?;
    Ok(())
}
