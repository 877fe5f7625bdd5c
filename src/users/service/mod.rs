//! The operations on users, one file for each concern.

mod change;
mod hashing;
mod invite;
mod links;
mod policy;
mod read;
mod recovery;
mod reset;
mod rewrap;
mod roles;
mod sign_in;
mod throttle;
mod totp;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, IntoActiveModel, QueryFilter, QuerySelect,
    Select, Set,
};

pub use hashing::WAIT_MAX as HASHING_WAIT_MAX;
pub use policy::{NoSingleSignOn, SingleSignOnPolicy};
pub use rewrap::rewrap;

use super::entity::credential::{invitation, totp as totp_entity};
use super::entity::{Column, Entity, Model, assignment, passkey};
use super::model::{Factors, User};
use crate::audit::{self, Audit, EndpointChange, Entry, RoleChange};
use crate::auth::{Authorizer, TenantScope, require_administrators, taken_holds};
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UserId};
use crate::roles::Permission;
use crate::seal::MasterKey;
use crate::tenants::share_policies;
use crate::users::model::SignInOrigin;
use hashing::Hashing;
use throttle::Throttle;

const WHAT: &str = "user";

/// The most rows that count failed sign-ins after a sweep: about a hundred megabytes.
pub const FAILURE_ROWS_MAX: u64 = 1_000_000;

/// The permission by which users are changed.
const BY: Permission = Permission::ManageUsers;

/// The limits that a deployment sets.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a one-time link works.
    pub link_lifetime: Duration,
    /// How many users a tenant may have.
    pub users_per_tenant: u64,
    /// How many roles a user may hold, each in a tenant.
    pub roles_per_user: u64,
    /// Failed sign-ins with one address from one network before further ones have to wait.
    pub failures_per_user: u32,
    /// Failed sign-ins from one network before further ones have to wait.
    pub failures_per_address: u32,
    /// Passwords that are hashed at the same time, 64 MiB each.
    pub hashes_at_once: usize,
}

/// The dependencies of [`Users`].
pub struct Foundation {
    /// The database.
    pub database: Arc<Database>,
    /// The time that all nodes share.
    pub clock: Arc<dyn Clock>,
    /// The source of secrets.
    pub entropy: Arc<dyn Entropy>,
    /// Seals the keys of one-time passwords.
    pub master: Arc<MasterKey>,
    /// Tells whether users and their tenants are enabled.
    pub authorizer: Arc<Authorizer>,
    /// Records sign-ins.
    pub audit: Arc<Audit>,
}

/// The users in a database.
pub struct Users {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    master: Arc<MasterKey>,
    authorizer: Arc<Authorizer>,
    audit: Arc<Audit>,
    policy: Arc<dyn SingleSignOnPolicy>,
    limits: Limits,
    hashing: Hashing,
    throttle: Throttle,
}

impl Users {
    /// The users in that database. `policy` tells whether a user may sign in with a password.
    pub fn new(on: Foundation, policy: Arc<dyn SingleSignOnPolicy>, limits: Limits) -> Self {
        let Foundation { database, clock, entropy, master, authorizer, audit } = on;
        Self {
            hashing: Hashing::new(limits.hashes_at_once),
            throttle: Throttle::new(database.clone(), clock.clone(), limits),
            database,
            clock,
            entropy,
            master,
            authorizer,
            audit,
            policy,
            limits,
        }
    }

    /// The user of the scope with that id, for a change: every change by an administrator begins
    /// here. The user is locked against other writers until the transaction ends, and the caller
    /// must have authority over them. Locks are taken in the order of clients': tenants by id, then
    /// users by id.
    async fn lock(&self, write: &Write<'_>, scope: &TenantScope, id: &str) -> Result<User> {
        let found = with_id(Entity::of_tenant(scope), id).one(write.on()).await?;
        let found = found.ok_or_else(|| Error::not_found(WHAT))?;
        share_policies(write.on(), found.tenant_id).await?;
        // Read again: the user may have been deleted, or their tenant disabled, while this
        // transaction waited for the locks.
        let locked = Entity::of_tenant(scope).filter(Column::Id.eq(found.id)).lock_exclusive();
        let row = locked.one(write.on()).await?.ok_or_else(|| Error::not_found(WHAT))?;
        let user = one(write.on(), row, scope.now()).await?;
        scope.require_authority_over("user", &user.holds()).await?;
        Ok(user)
    }

    /// A user of the scope over whom the caller has authority, locked against other writers until the
    /// transaction ends: for changes by other rooms, such as passkeys.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `FORBIDDEN` for a user whom the caller has no authority over.
    pub async fn managed_in(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        id: &str,
    ) -> Result<User> {
        self.lock(write, scope, id).await
    }

    /// Deletes counts of failed sign-ins that hold nobody up any more, and of more than `most` those
    /// that would be forgotten first, but none for which somebody has to wait.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget_expired(&self, write: &Write<'_>, most: u64) -> Result<()> {
        self.throttle.forget_expired(write, most).await
    }

    /// Finishes a change: updates its time and author, checks the invariants, and records it.
    async fn finish(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        operation: &'static str,
        before: User,
    ) -> Result<User> {
        let row = Entity::of_tenant(scope).filter(Column::Id.eq(before.id())).one(write.on());
        let mut row = row.await?.ok_or_else(|| Error::not_found(WHAT))?.into_active_model();
        row.updated_at = Set(scope.now());
        row.updated_by = Set(scope.caller().name());
        let row = row.update(write.on()).await?;
        let mut after = one(write.on(), row, scope.now()).await?;
        require_others(write, scope, &before, Some(&after)).await?;
        let entry = Entry {
            operation,
            tenant: after.tenant(),
            subject: after.id().to_string(),
            before: Some(before.state()),
            after: Some(after.state()),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        let roles = RoleChange {
            operation,
            home: after.tenant(),
            subject: after.id().to_string(),
            before: before.holds(),
            after: after.holds(),
        };
        audit::record_roles_elsewhere(write, &*self.entropy, scope, roles).await?;
        self.disclose(scope, std::slice::from_mut(&mut after)).await?;
        Ok(after)
    }

    /// Records an action of a person on the pages, in the transaction of the action.
    async fn record(
        &self,
        write: &Write<'_>,
        user: (UserId, TenantId),
        operation: &'static str,
        origin: &SignInOrigin,
    ) -> Result<()> {
        let (user, tenant) = user;
        let change = EndpointChange {
            actor: user.to_string(),
            tenant,
            operation,
            subject: user.to_string(),
            request_id: origin.request_id.clone(),
        };
        self.audit.record_change(write, change).await
    }
}

/// Requires that each tenant in which the change took administration from the user keeps another
/// administrator who can sign in.
async fn require_others(
    write: &Write<'_>,
    scope: &TenantScope,
    before: &User,
    after: Option<&User>,
) -> Result<()> {
    let held = if before.row.enabled { before.holds() } else { Vec::new() };
    let able = after.filter(|after| after.row.enabled && !before.lost_credential_in(after));
    let left = able.map(User::holds).unwrap_or_default();
    let taken = taken_holds(&held, &left, scope.now());
    require_administrators(write, scope, &taken).await
}

fn with_id(select: Select<Entity>, id: &str) -> Select<Entity> {
    select.filter(Column::Id.is_in(id.parse::<UserId>().ok()))
}

/// Adds roles, factors and links to one user.
async fn one(on: &impl ConnectionTrait, user: Model, now: Timestamp) -> Result<User> {
    let mut users = complete(on, vec![user], now).await?;
    users.pop().ok_or_else(|| Error::internal("a user was lost on the way"))
}

/// Adds roles, factors and links to users, with one statement each.
async fn complete(
    on: &impl ConnectionTrait,
    rows: Vec<Model>,
    now: Timestamp,
) -> Result<Vec<User>> {
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut assignments = HashMap::<UserId, Vec<assignment::Model>>::new();
    for held in assignment::Entity::of_users(&ids).all(on).await? {
        assignments.entry(held.user_id).or_default().push(held);
    }
    let links = invitation::Entity::open_of(&ids, now).all(on).await?;
    let links: HashMap<UserId, Timestamp> =
        links.into_iter().map(|link| (link.user_id, link.expires_at)).collect();
    let mut factors = factors_of(on, &ids).await?;
    let users = rows.into_iter().map(|row| User {
        assignments: assignments.remove(&row.id).unwrap_or_default(),
        factors: factors.remove(&row.id).unwrap_or_default(),
        invited_until: links.get(&row.id).copied(),
        row,
    });
    Ok(users.collect())
}

async fn factors_of(
    on: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<HashMap<UserId, Factors>> {
    let mut factors = HashMap::<UserId, Factors>::new();
    for key in totp_entity::Entity::confirmed_of(users).all(on).await? {
        factors.entry(key.user_id).or_default().totp = true;
    }
    for passkey in passkey::Entity::of_users(users).all(on).await? {
        factors.entry(passkey.user_id).or_default().passkeys += 1;
    }
    Ok(factors)
}
