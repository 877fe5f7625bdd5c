//! API keys in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::choices::DeepSecurityLocale;
use super::module::{date, moment, reference, text};
use super::reading::once;
use super::role::RoleObject;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::{ApiKey, KeyWithSecret, Role, SecretKey};
use crate::error::Result;
use crate::global_id::NodeKind;
use crate::graph::graphql::DateTime;

/// An API key in the graph.
pub struct ApiKeyObject {
    manager: Arc<Manager>,
    wire: ApiKey,
}

impl ApiKeyObject {
    /// An API key that was read.
    pub fn new(manager: &Arc<Manager>, wire: ApiKey) -> Self {
        Self { manager: manager.clone(), wire }
    }

    pub(super) fn wire(&self) -> &ApiKey {
        &self.wire
    }
}

/// An API key of the tenant. Those that the gateway makes for itself are among them, named
/// `tenant-gateway …`.
#[Object(name = "DeepSecurityApiKey")]
impl ApiKeyObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(self.manager.ids().global(NodeKind::DeepSecurityApiKey, self.wire.id))
    }

    /// The vendor's id, unique in its tenant only.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name.
    async fn key_name(&self) -> Option<&str> {
        self.wire.key_name.as_deref()
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// Its language and country.
    async fn locale(&self) -> Option<DeepSecurityLocale> {
        text(&self.wire.locale).map(DeepSecurityLocale::read)
    }

    /// The vendor's own word for the locale.
    async fn locale_text(&self) -> Option<&str> {
        text(&self.wire.locale)
    }

    /// Its role, of the same tenant.
    #[graphql(name = "roleID")]
    async fn role_id(&self) -> Option<ID> {
        reference(self.wire.role_id)
    }

    /// Its role. Each role is asked for once an operation, however many keys have it.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<RoleObject>> {
        match self.wire.role_id.filter(|id| *id != 0) {
            Some(id) => Ok(Some(RoleObject::new(
                &self.manager,
                once::<Role>(ctx, &self.manager, id).await?,
            ))),
            None => Ok(None),
        }
    }

    /// The IANA name of the zone in which it reads dates.
    async fn time_zone(&self) -> Option<&str> {
        self.wire.time_zone.as_deref()
    }

    /// Whether it works; a locked one does not.
    async fn active(&self) -> Option<bool> {
        self.wire.active
    }

    /// When it was made.
    async fn created_at(&self) -> Option<DateTime> {
        moment(self.wire.created)
    }

    /// When it was made, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        date(self.wire.created)
    }

    /// When it was last used.
    async fn last_sign_in_at(&self) -> Option<DateTime> {
        moment(self.wire.last_sign_in)
    }

    /// When it was last used, in RFC 3339.
    #[graphql(deprecation = "use lastSignInAt; offered until 2027-12-31")]
    async fn last_sign_in(&self) -> Option<String> {
        date(self.wire.last_sign_in)
    }

    /// When a lock-out ends.
    async fn unlocks_at(&self) -> Option<DateTime> {
        moment(self.wire.unlock_time)
    }

    /// When a lock-out ends, in RFC 3339.
    #[graphql(deprecation = "use unlocksAt; offered until 2027-12-31")]
    async fn unlock_time(&self) -> Option<String> {
        date(self.wire.unlock_time)
    }

    /// How often it was refused since it last worked.
    async fn unsuccessful_sign_in_attempts(&self) -> Option<i32> {
        self.wire.unsuccessful_sign_in_attempts.and_then(|attempts| attempts.try_into().ok())
    }

    /// When it ends; absent if it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        moment(self.wire.expiry_date)
    }

    /// When it ends, in RFC 3339; absent if it does not.
    #[graphql(deprecation = "use expiresAt; offered until 2027-12-31")]
    async fn expiry_date(&self) -> Option<String> {
        date(self.wire.expiry_date)
    }

    /// Whether a primary manager made it for the tenant.
    async fn service_account(&self) -> Option<bool> {
        self.wire.service_account
    }
}

/// An API key with its secret in the graph.
pub struct ApiKeySecretObject {
    key: ApiKeyObject,
    secret: SecretKey,
}

impl ApiKeySecretObject {
    /// What was made.
    pub fn new(manager: &Arc<Manager>, made: KeyWithSecret) -> Self {
        Self { key: ApiKeyObject::new(manager, made.key), secret: made.secret }
    }
}

/// An API key with its secret, which is shown here and never again.
#[Object(name = "DeepSecurityApiKeySecret")]
impl ApiKeySecretObject {
    /// The key.
    async fn api_key(&self) -> &ApiKeyObject {
        &self.key
    }

    /// What programs send in the header `api-secret-key`. Keep it: the gateway does not.
    async fn secret_key(&self) -> &str {
        self.secret.expose()
    }
}
