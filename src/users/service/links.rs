//! One-time links by which people set a password.

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};

use super::{Users, one};
use crate::auth::{SubjectId, TenantScope};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{InvitationId, UserId};
use crate::secret::{PlainSecret, SecretHash};
use crate::tenants::entity as tenants;
use crate::users::entity::credential::invitation::{Column, Entity, Model};
use crate::users::entity::{self as users, PasswordHash};
use crate::users::model::{Invitation, Purpose, SignInOrigin, User};
use crate::users::password::{self, Password};

impl Users {
    /// The open link with that token; nothing if it was used, has ended, or never was, and for a
    /// person who signs in at the provider of their tenant.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn invitation(&self, token: &str) -> Result<Option<Invitation>> {
        let reader = self.database.reader();
        let Some(hash) = hash_of(token) else { return Ok(None) };
        let Some(row) = Entity::open(hash, self.clock.now()).one(reader).await? else {
            return Ok(None);
        };
        let subject = SubjectId::User(row.user_id);
        let Some(purpose) = Purpose::read(&row.purpose) else { return Ok(None) };
        if !self.authorizer.is_enabled(subject).await? {
            return Ok(None);
        }
        let user = self.signed_in(row.user_id).await?;
        if !self.policy.password_allowed(&user.row).await? {
            return Ok(None);
        }
        let above = tenants::Entity::at_or_above(user.tenant());
        let tenant = above.filter(tenants::Column::Id.eq(user.tenant())).one(reader).await?;
        Ok(tenant.map(|tenant| Invitation {
            user,
            tenant_name: tenant.name,
            purpose,
            expires_at: row.expires_at,
        }))
    }

    /// Sets the password of the person whom the link was made for. It works once: of several
    /// attempts with one link, on any node, one wins.
    ///
    /// # Errors
    /// `NOT_FOUND` for a link that is not open; `BAD_USER_INPUT` for a password that is too short,
    /// too long or easily guessed, which leaves the link open; `RATE_LIMITED` while too many
    /// passwords are hashed.
    pub async fn accept_invitation(
        &self,
        token: &str,
        password: &str,
        origin: &SignInOrigin,
    ) -> Result<User> {
        let open = self.invitation(token).await?.ok_or_else(link_gone)?;
        let hash = hash_of(token).ok_or_else(link_gone)?;
        let password_hash = self.hash_new(&open.user, password).await?;
        let work = async |write: Arc<Write<'_>>| {
            let link = Entity::open(hash.clone(), self.clock.now()).one(write.on()).await?;
            let link = link.ok_or_else(link_gone)?;
            let person = self.locked_user(&write, link.user_id).await?;
            if !use_link(write.on(), link.id, self.clock.now()).await? || !person.enabled {
                return Err(link_gone());
            }
            let about = (person.id, person.tenant_id);
            let ended = self.end_sign_ins(&write, person).await?;
            let mut row = ended.into_active_model();
            row.password_hash = Set(Some(PasswordHash::new(password_hash.clone())));
            let row = row.update(write.on()).await?;
            self.record(&write, about, "setPassword", origin).await?;
            one(write.on(), row, self.clock.now()).await
        };
        let user = self.database.transaction(work).await?;
        self.authorizer.forget();
        Ok(user)
    }

    /// Hashes a new password of the user. Accounts with the same address share one salt: a sign-in
    /// then hashes once to find the account that the person means, and its duration does not reveal
    /// the number of accounts.
    async fn hash_new(&self, user: &User, typed: &str) -> Result<String> {
        let with_password = users::Entity::with_password(&user.row.email_folded, 2);
        let others = with_password.all(self.database.reader()).await?;
        let other = others.into_iter().find(|other| other.id != user.id());
        let salt = match other.and_then(|other| other.password_hash) {
            Some(hash) => password::salt_of(hash.as_str()).map(str::to_owned),
            None => None,
        };
        let salt = match salt {
            Some(salt) => salt,
            None => password::random_salt(&*self.entropy)?,
        };
        let typed = typed.to_owned();
        let email = user.row.email.clone();
        let name = user.row.name.clone();
        let work = move || {
            let local_part = email.split('@').next().unwrap_or_default();
            let password = Password::parse_new(&typed, &[&email, local_part, &name])?;
            password.hash(&salt)
        };
        self.hashing.run(work).await
    }

    /// Makes a link for a user that was found in the scope before; earlier ones stop working.
    pub(super) async fn new_link(
        &self,
        on: &impl ConnectionTrait,
        scope: &TenantScope,
        user: UserId,
        purpose: Purpose,
    ) -> Result<(PlainSecret, Timestamp)> {
        self.end_links(on, user).await?;
        let token = PlainSecret::generate(&*self.entropy);
        let now = self.clock.now();
        let expires_at = now.plus(self.limits.link_lifetime);
        let row = Model {
            id: InvitationId::random(&*self.entropy),
            user_id: user,
            hash: token.hash(),
            purpose: purpose.as_str().to_owned(),
            expires_at,
            used_at: None,
            created_at: now,
            created_by: scope.caller().name(),
        };
        Entity::insert(row.into_active_model()).exec_without_returning(on).await?;
        Ok((token, expires_at))
    }

    /// Ends the links of a user: they are deleted, and the audit log keeps their use.
    pub(super) async fn end_links(&self, on: &impl ConnectionTrait, user: UserId) -> Result<()> {
        Entity::delete_many().filter(Column::UserId.eq(user)).exec(on).await?;
        Ok(())
    }
}

/// Marks a link as used. Returns whether no other attempt was first.
async fn use_link(on: &impl ConnectionTrait, link: InvitationId, now: Timestamp) -> Result<bool> {
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::Id.eq(link))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(on)
        .await?;
    Ok(used.rows_affected == 1)
}

fn hash_of(token: &str) -> Option<SecretHash> {
    PlainSecret::parse(token).map(|token| token.hash())
}

fn link_gone() -> Error {
    Error::not_found("link")
}
