//! Finds or creates the user of an account at a provider.

use std::sync::Arc;

use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait, QuerySelect};

use super::SingleSignOn;
use super::tokens::{Account, Person};
use crate::audit::EndpointChange;
use crate::auth::RequestId;
use crate::clock::Timestamp;
use crate::database::{AdvisoryLock, Write};
use crate::error::Result;
use crate::ids::{RoleId, UserAssignmentId, UserId};
use crate::names::Name;
use crate::single_sign_on::entity::{domain, identity, person, provider};
use crate::users::EmailAddress;
use crate::users::entity::{self as user, assignment};

/// The user that an account belongs to, or the reason why there is none.
pub(super) enum Match {
    /// A user of the provider's tenant.
    User(Box<user::Model>),
    /// Nobody, for that reason.
    Refused(&'static str),
}

impl SingleSignOn {
    /// The user that the account was linked to.
    pub(super) async fn linked(
        &self,
        provider: &provider::Model,
        account: &Account,
    ) -> Result<Option<user::Model>> {
        let reader = self.with.database.reader();
        // In one statement: a link that is removed in between would let the account in again.
        let linked = of_account(provider, account);
        Ok(person::linked_to(provider.tenant_id, linked).one(reader).await?)
    }

    /// Links an account that signs in for the first time to the user with its address, or to a new
    /// one where the provider has a default role.
    pub(super) async fn link(
        &self,
        provider: &provider::Model,
        account: &Account,
        person: &Person,
        request_id: &RequestId,
    ) -> Result<Match> {
        let Some(email) = EmailAddress::read(&person.email) else {
            return Ok(Match::Refused("email_invalid"));
        };
        let new = New { provider, account, email, name: person.name.as_deref(), request_id };
        self.with.database.transaction(|write| self.link_in(write, &new)).await
    }

    async fn link_in(&self, write: Arc<Write<'_>>, new: &New<'_>) -> Result<Match> {
        // Of concurrent first sign-ins in a tenant, one waits for the other here.
        let locked = provider::Entity::of_sign_in(new.provider.id).lock_exclusive();
        let provider = locked.one(write.on()).await?;
        let unchanged = provider.filter(|row| row.revision == new.provider.revision);
        let Some(provider) = unchanged else { return Ok(Match::Refused("sign_in_expired")) };
        if !self.vouches_for(&write, &provider, &new.email).await? {
            return Ok(Match::Refused("email_domain"));
        }
        let found = person::with_email(provider.tenant_id, &new.email.folded());
        let user = match found.one(write.on()).await? {
            Some(user) => user,
            None => match self.create(&write, &provider, new).await? {
                Match::User(user) => *user,
                refused @ Match::Refused(_) => return Ok(refused),
            },
        };
        let known = identity::Entity::of_user(user.id).one(write.on()).await?;
        if let Some(known) = known {
            let is_same = known.issuer == provider.issuer && known.subject == **new.account.subject;
            return Ok(if is_same {
                Match::User(Box::new(user))
            } else {
                Match::Refused("another_subject")
            });
        }
        let link = identity::Model {
            user_id: user.id,
            tenant_id: provider.tenant_id,
            issuer: provider.issuer.clone(),
            subject: new.account.subject.to_string(),
            created_at: self.with.clock.now(),
        };
        identity::Entity::insert(link.into_active_model())
            .exec_without_returning(write.on())
            .await?;
        self.record_own(&write, &user, "linkIdentity", new.request_id).await?;
        Ok(Match::User(Box::new(user)))
    }

    /// Whether the address is of one of the provider's domains.
    async fn vouches_for(
        &self,
        write: &Write<'_>,
        provider: &provider::Model,
        email: &EmailAddress,
    ) -> Result<bool> {
        let domains = domain::Entity::of_provider(provider.id).all(write.on()).await?;
        let of_email = email.domain();
        Ok(domains.iter().any(|domain| domain.domain == of_email))
    }

    /// Makes a user with the default role; none where the provider has no such role, the right of
    /// the administrator who set it has ended, or the tenant has as many users as it may.
    async fn create(
        &self,
        write: &Write<'_>,
        provider: &provider::Model,
        new: &New<'_>,
    ) -> Result<Match> {
        let now = self.with.clock.now();
        let role = provider.default_role_id;
        let role = role.filter(|_| provider.default_role_expires_at.is_none_or(|end| now < end));
        let Some(role) = role else { return Ok(Match::Refused("user_unknown")) };
        write.lock(AdvisoryLock::UsersOf(provider.tenant_id)).await?;
        let people = person::at_home(provider.tenant_id).count(write.on()).await?;
        if people >= self.with.users_per_tenant {
            return Ok(Match::Refused("users_quota"));
        }
        let user = self.new_user(provider, new, now);
        user::Entity::insert(user.clone().into_active_model())
            .exec_without_returning(write.on())
            .await?;
        let held = self.new_assignment(provider, user.id, role, now);
        assignment::Entity::insert(held.into_active_model())
            .exec_without_returning(write.on())
            .await?;
        self.record_own(write, &user, "createUser", new.request_id).await?;
        Ok(Match::User(Box::new(user)))
    }

    fn new_user(&self, provider: &provider::Model, new: &New<'_>, now: Timestamp) -> user::Model {
        let name = new.name.and_then(|name| Name::parse("name", name).ok());
        let name =
            name.map_or_else(|| new.email.as_str().to_owned(), |name| name.as_str().to_owned());
        let author = provider.id.to_string();
        user::Model {
            id: UserId::random(&*self.with.entropy),
            tenant_id: provider.tenant_id,
            email: new.email.as_str().to_owned(),
            email_folded: new.email.folded(),
            email_since: None,
            name,
            enabled: true,
            password_hash: None,
            token_generation: 0,
            last_sign_in_at: None,
            created_at: now,
            updated_at: now,
            created_by: author.clone(),
            updated_by: author,
        }
    }

    fn new_assignment(
        &self,
        provider: &provider::Model,
        user_id: UserId,
        role_id: RoleId,
        now: Timestamp,
    ) -> assignment::Model {
        assignment::Model {
            id: UserAssignmentId::random(&*self.with.entropy),
            user_id,
            tenant_id: provider.tenant_id,
            role_id,
            expires_at: provider.default_role_expires_at,
            created_at: now,
            created_by: provider.updated_by.clone(),
        }
    }

    /// Records what a person's own sign-in changed.
    async fn record_own(
        &self,
        write: &Write<'_>,
        user: &user::Model,
        operation: &'static str,
        request_id: &RequestId,
    ) -> Result<()> {
        let change = EndpointChange {
            actor: user.id.to_string(),
            tenant: user.tenant_id,
            operation,
            subject: user.id.to_string(),
            request_id: request_id.clone(),
        };
        self.with.audit.record_change(write, change).await
    }
}

/// An account that signs in for the first time.
struct New<'a> {
    provider: &'a provider::Model,
    account: &'a Account,
    email: EmailAddress,
    name: Option<&'a str>,
    request_id: &'a RequestId,
}

fn of_account(provider: &provider::Model, account: &Account) -> sea_orm::Select<identity::Entity> {
    identity::Entity::of_account(provider.tenant_id, &provider.issuer, &account.subject)
}
