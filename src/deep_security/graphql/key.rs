//! The GraphQL type of API keys.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::connection_node::ConnectionNode;
use super::convert::{date_text, date_time, reference, text};
use super::enums::DeepSecurityLocale;
use super::fetch::fetch_reference;
use super::role::RoleObject;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::{ApiKey, KeyWithSecret, Role, SecretKey};
use crate::error::Result;
use crate::global_id::NodeKind;
use crate::graph::graphql::DateTime;

/// The GraphQL type of an API key.
pub struct ApiKeyObject {
    manager: Arc<Manager>,
    wire: ApiKey,
}

impl ApiKeyObject {
    /// An API key of this manager.
    pub fn new(manager: &Arc<Manager>, wire: ApiKey) -> Self {
        Self { manager: manager.clone(), wire }
    }
}

impl ConnectionNode for ApiKeyObject {
    type Resource = ApiKey;
    const CONNECTION: &'static str = "DeepSecurityApiKeyConnection";
    const EDGE: &'static str = "DeepSecurityApiKeyEdge";
}

/// An API key of the tenant. Keys that the gateway mints for itself are included; their names start
/// with `tenant-gateway`.
#[Object(name = "DeepSecurityApiKey")]
impl ApiKeyObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(self.manager.ids().global(NodeKind::DeepSecurityApiKey, self.wire.id))
    }

    /// The vendor's id; unique only within the vendor's tenant.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name.
    async fn key_name(&self) -> Option<&str> {
        self.wire.key_name.as_deref()
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// The locale.
    async fn locale(&self) -> Option<DeepSecurityLocale> {
        text(&self.wire.locale).map(DeepSecurityLocale::from_vendor)
    }

    /// The locale as the vendor spells it.
    async fn locale_text(&self) -> Option<&str> {
        text(&self.wire.locale)
    }

    /// The vendor's id of the key's role.
    #[graphql(name = "roleID")]
    async fn role_id(&self) -> Option<ID> {
        reference(self.wire.role_id)
    }

    /// The key's role. The gateway requests each role at most once per operation.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<RoleObject>> {
        let role = fetch_reference::<Role>(ctx, &self.manager, self.wire.role_id).await?;
        Ok(role.map(|role| RoleObject::new(&self.manager, role)))
    }

    /// The IANA name of the key's time zone.
    async fn time_zone(&self) -> Option<&str> {
        self.wire.time_zone.as_deref()
    }

    /// Whether the key works; a locked key does not.
    async fn active(&self) -> Option<bool> {
        self.wire.active
    }

    /// When the object was created.
    async fn created_at(&self) -> Option<DateTime> {
        date_time(self.wire.created)
    }

    /// When the object was created, in RFC 3339.
    #[graphql(deprecation = "use createdAt; offered until 2027-12-31")]
    async fn created(&self) -> Option<String> {
        date_text(self.wire.created)
    }

    /// When it was last used.
    async fn last_sign_in_at(&self) -> Option<DateTime> {
        date_time(self.wire.last_sign_in)
    }

    /// When it was last used, in RFC 3339.
    #[graphql(deprecation = "use lastSignInAt; offered until 2027-12-31")]
    async fn last_sign_in(&self) -> Option<String> {
        date_text(self.wire.last_sign_in)
    }

    /// When a lockout ends.
    async fn unlocks_at(&self) -> Option<DateTime> {
        date_time(self.wire.unlock_time)
    }

    /// When a lockout ends, in RFC 3339.
    #[graphql(deprecation = "use unlocksAt; offered until 2027-12-31")]
    async fn unlock_time(&self) -> Option<String> {
        date_text(self.wire.unlock_time)
    }

    /// The number of failed sign-ins since the last successful one.
    async fn unsuccessful_sign_in_attempts(&self) -> Option<i32> {
        self.wire.unsuccessful_sign_in_attempts.and_then(|attempts| attempts.try_into().ok())
    }

    /// When the key expires; null if it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        date_time(self.wire.expiry_date)
    }

    /// When the key expires, in RFC 3339; null if it does not.
    #[graphql(deprecation = "use expiresAt; offered until 2027-12-31")]
    async fn expiry_date(&self) -> Option<String> {
        date_text(self.wire.expiry_date)
    }

    /// Whether a primary manager created the key for the tenant.
    async fn service_account(&self) -> Option<bool> {
        self.wire.service_account
    }
}

/// The GraphQL type of an API key with its secret.
pub struct ApiKeySecretObject {
    key: ApiKeyObject,
    secret: SecretKey,
}

impl ApiKeySecretObject {
    /// A key that was just created or rotated.
    pub fn new(manager: &Arc<Manager>, created: KeyWithSecret) -> Self {
        Self { key: ApiKeyObject::new(manager, created.key), secret: created.secret }
    }
}

/// An API key with its secret, which is shown only once.
#[Object(name = "DeepSecurityApiKeySecret")]
impl ApiKeySecretObject {
    /// The key.
    async fn api_key(&self) -> &ApiKeyObject {
        &self.key
    }

    /// The secret, to be sent in the header `api-secret-key`. Store it: the gateway does not.
    async fn secret_key(&self) -> &str {
        self.secret.expose()
    }
}
