//! Links of users to accounts, as administrators see and remove them.

use std::sync::Arc;

use serde_json::json;

use super::SingleSignOn;
use crate::audit::{self, Entry};
use crate::auth::{TenantScope, require_administrators, taken_holds};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::single_sign_on::entity::identity;
use crate::users::Users;

/// The account of a user at a provider.
#[derive(Clone, Debug)]
pub struct Link {
    /// The provider's issuer.
    pub issuer: String,
    /// The account's subject there.
    pub subject: String,
    /// When the two were linked.
    pub created_at: Timestamp,
}

impl SingleSignOn {
    /// The account that a user is linked to; the user was found in a scope before.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn link_of(&self, user: UserId) -> Result<Option<Link>> {
        let found = identity::Entity::of_user(user).one(self.with.database.reader()).await?;
        Ok(found.map(|row| Link {
            issuer: row.issuer,
            subject: row.subject,
            created_at: row.created_at,
        }))
    }

    /// Removes the link of a user to an account, and ends their sessions and tokens, which may have
    /// begun with it. The next sign-in at the provider links the account with the user's address.
    ///
    /// # Errors
    /// `NOT_FOUND` for a user outside the scope and for one without a link, `FORBIDDEN` for a user
    /// whom the caller has no authority over, `CONFLICT` for the last administrator of a tenant.
    pub async fn unlink(&self, users: &Users, scope: &TenantScope, user: &str) -> Result<()> {
        let work = |write| self.unlink_in(write, users, scope, user);
        scope.change(&self.with.database, work).await
    }

    async fn unlink_in(
        &self,
        write: Arc<Write<'_>>,
        users: &Users,
        scope: &TenantScope,
        user: &str,
    ) -> Result<()> {
        let user = users.managed_in(&write, scope, user).await?;
        let link = identity::Entity::of_user(user.id()).one(write.on()).await?;
        let link = link.ok_or_else(|| Error::not_found("account at an identity provider"))?;
        identity::Entity::forget(user.id()).exec(write.on()).await?;
        users.end_sign_ins(&write, user.row.clone()).await?;
        if user.row.enabled {
            let held = taken_holds(&user.holds(), &[], scope.now());
            require_administrators(&write, scope, &held).await?;
        }
        let entry = Entry {
            operation: "unlinkUserIdentity",
            tenant: user.tenant(),
            subject: user.id().to_string(),
            before: Some(json!({ "issuer": link.issuer, "subject": link.subject })),
            after: None,
        };
        audit::record(write.on(), &*self.with.entropy, scope, entry).await
    }
}
