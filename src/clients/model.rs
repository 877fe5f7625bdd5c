//! Clients, independent of the tables.

use std::time::Duration;

use serde_json::{Value, json};

use super::entity;
use crate::auth::RoleHold;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{ClientId, TenantId};
use crate::names::{Name, NamePattern};
use crate::roles::Role;
use crate::secret::PlainSecret;

/// The default role of a new client.
pub const DEFAULT_ROLE: Role = Role::Analyst;

/// A client with its roles and the state of its secrets and keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The client itself.
    pub row: entity::Model,
    /// Its roles, expired ones too, oldest first.
    pub assignments: Vec<entity::assignment::Model>,
    /// Its secrets, ended ones too, newest first.
    pub secrets: Vec<entity::secret::Model>,
    /// Its public keys, newest first; two at most.
    pub keys: Vec<entity::key::Model>,
}

impl Client {
    /// The secrets that work, newest first; two at most.
    pub fn live_secrets(&self, now: Timestamp) -> impl Iterator<Item = &entity::secret::Model> {
        self.secrets.iter().filter(move |secret| secret.is_live(now))
    }

    /// The roles that it holds.
    pub fn holds(&self) -> Vec<RoleHold> {
        let hold = |held: &entity::assignment::Model| RoleHold {
            role: held.role_id,
            tenant: held.tenant_id,
            expires_at: held.expires_at,
        };
        self.assignments.iter().map(hold).collect()
    }

    /// The number of secrets and keys that work.
    pub fn credentials(&self, now: Timestamp) -> usize {
        self.live_secrets(now).count() + self.keys.len()
    }

    /// The state of a rotation, while two secrets work. The old one is safe to retire once the new
    /// one was used and the old one was not for a whole `token_lifetime`, in which any program that
    /// still uses it would have asked for a token.
    pub fn rotation(&self, now: Timestamp, token_lifetime: Duration) -> Option<Rotation> {
        let mut live = self.live_secrets(now);
        let new = live.next()?;
        let old = live.next()?;
        let last = old.last_used_at.map_or(new.created_at, |used| used.max(new.created_at));
        Some(Rotation {
            safe_to_retire: new.last_used_at.is_some() && now.since(last) >= token_lifetime,
            old_secret_last_used_at: old.last_used_at,
        })
    }

    /// The client as the audit log records it: of secrets only ids and times.
    pub fn state(&self, now: Timestamp) -> Value {
        let roles = self.assignments.iter().map(|held| {
            json!({
                "tenantID": held.tenant_id,
                "roleID": held.role_id,
                "expiresAt": held.expires_at.map(text),
            })
        });
        let secrets = self.live_secrets(now).map(|secret| {
            json!({
                "id": secret.id,
                "retiresAt": secret.retires_at.map(text),
                "expiresAt": secret.expires_at.map(text),
            })
        });
        let keys =
            self.keys.iter().map(|key| json!({ "id": key.id, "thumbprint": key.thumbprint }));
        json!({
            "name": self.row.name,
            "clientID": self.row.client_id,
            "tenantID": self.row.tenant_id,
            "ownerTenantID": self.row.owner_tenant_id,
            "enabled": self.row.enabled,
            "roles": roles.collect::<Vec<_>>(),
            "secrets": secrets.collect::<Vec<_>>(),
            "keys": keys.collect::<Vec<_>>(),
        })
    }
}

fn text(moment: Timestamp) -> String {
    moment.to_string()
}

impl entity::secret::Model {
    /// Whether it works.
    pub fn is_live(&self, now: Timestamp) -> bool {
        [self.retires_at, self.expires_at].into_iter().flatten().all(|end| now < end)
    }
}

/// The progress of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Whether the old secret seems unused.
    pub safe_to_retire: bool,
    /// When the old secret was last used.
    pub old_secret_last_used_at: Option<Timestamp>,
}

/// The refusal of an owner, with one message for foreign and unknown tenants.
pub fn owner_forbidden() -> Error {
    Error::forbidden("ownerTenantID: the tenant is unknown, disabled, or not open to this client")
}

/// A client to create.
pub struct NewClient {
    /// Its name; names need not be unique.
    pub name: Name,
    /// The roles that it gets in the tenant of the scope.
    pub roles: Vec<Role>,
    /// The tenant that is responsible for it.
    pub owner: Option<TenantId>,
    /// A repeated request with the same key creates nothing new.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// A caller's name for a request, which can then be repeated safely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key of 1 to 255 visible ASCII characters.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for any other.
    pub fn parse(text: &str) -> Result<Self> {
        let right_form =
            (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let refused =
            || Error::bad_input("idempotencyKey", "must be 1 to 255 visible ASCII characters");
        if right_form { Ok(Self(text.to_owned())) } else { Err(refused()) }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client that was created or given a new secret.
pub struct Created {
    /// The client.
    pub client: Client,
    /// Its new secret; absent if a repeated request found the client of the first one, which
    /// showed it.
    pub secret: Option<PlainSecret>,
}

/// A role to grant.
pub struct Grant {
    /// The tenant; that of the scope if absent.
    pub tenant: Option<TenantId>,
    /// The role.
    pub role: Role,
    /// When it ends; never if absent.
    pub expires_at: Option<Timestamp>,
}

/// A change of a client; absent fields stay.
#[derive(Default)]
pub struct ClientChange {
    /// A new name.
    pub name: Option<Name>,
    /// Whether it gets tokens, and whether those that it has work.
    pub enabled: Option<bool>,
}

/// A filter of clients: all conditions must hold, and any value of a list.
#[derive(Clone, Default)]
pub struct ClientFilter {
    /// By name.
    pub name: Option<NamePattern>,
    /// By UUID or `client_id`.
    pub client_ids: Option<Vec<String>>,
    /// By a role that has not ended.
    pub roles: Option<Vec<Role>>,
    /// By tenant. Several lists must all hold.
    pub tenants: Vec<Vec<TenantId>>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// No token since then.
    pub unused_since: Option<Timestamp>,
    /// Behind the client with that folded name and id, in the order of names.
    pub behind: Option<(String, ClientId)>,
}

/// The sort key of clients; ties are broken by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// The name, letter case ignored.
    #[default]
    Name,
    /// The `client_id`, byte by byte.
    ClientId,
    /// The first role's name in the alphabet; those without a role come first.
    RoleName,
    /// How many tokens it was given.
    TokenRequestCount,
    /// When it was last given a token; those that never were come first.
    TokenRequestTime,
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientOrder {
    /// The sort key.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}
