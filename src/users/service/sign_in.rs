//! Passwords of people who sign in, and their sign-outs.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};

use super::throttle::{Admission, SignInKeys};
use super::{Users, hashing, one};
use crate::audit::FailedAuthentication;
use crate::auth::SubjectId;
use crate::database::Write;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{TenantId, UserId};
use crate::users::email::EmailAddress;
use crate::users::entity::{Entity, Model};
use crate::users::model::{PasswordOutcome, SignInOrigin, User};
use crate::users::password::{self, Password};

/// The most users that are tried: users of several tenants may have one address.
const TENANTS_TRIED: u64 = 4;

/// Hashed in place of a password that no user can have, to equalise the timing.
const NO_PASSWORD: &str = "a password that nobody has";

/// The name of the sign-in in the audit log.
const OPERATION: &str = "signIn";

impl Users {
    /// Checks an address and a password. An unknown address, a disabled user, and a wrong or missing
    /// password all cost a hash and have the same result. An address that several tenants have is
    /// tried in each of them, in four at most.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn verify_password(
        &self,
        email: &str,
        password: &str,
        origin: &SignInOrigin,
    ) -> Result<PasswordOutcome> {
        let folded = match EmailAddress::read(email) {
            Some(address) => address.folded(),
            None => email.trim().to_lowercase(),
        };
        let keys = SignInKeys::new(&folded, origin.address);
        let blocked = match self.throttle.admit(&keys).await? {
            Admission::Admitted => None,
            Admission::Blocked { retry_after, by_network: true } => {
                self.record_failure(None, "network_slowed", origin);
                return Ok(PasswordOutcome::SlowDown { retry_after });
            }
            Admission::Blocked { retry_after, .. } => Some(retry_after),
        };
        let found = Entity::with_password(&folded, TENANTS_TRIED).all(self.database.reader());
        let found = found.await?;
        let first = found.first().map(|user| (user.id, user.tenant_id));
        let matching = match self.matching(password, found).await {
            Ok(matching) => matching,
            Err(error) if error.code() == ErrorCode::RateLimited => {
                return Ok(PasswordOutcome::SlowDown { retry_after: hashing::WAIT_MAX });
            }
            Err(error) => return Err(error),
        };
        if let Some(retry_after) = blocked {
            self.record_failure(first, "slowed", origin);
            return Ok(PasswordOutcome::SlowDown { retry_after });
        }
        for user in matching {
            if self.may_use_password(&user).await? {
                self.throttle.succeeded(&keys).await?;
                let user = one(self.database.reader(), user, self.clock.now()).await?;
                return Ok(PasswordOutcome::Accepted(Box::new(user)));
            }
        }
        self.record_failure(first, "password_refused", origin);
        Ok(PasswordOutcome::Refused)
    }

    /// The users with this password. Hashes it once for each salt; without users, once with a dummy
    /// salt.
    async fn matching(&self, typed: &str, users: Vec<Model>) -> Result<Vec<Model>> {
        let password = Password::read(typed);
        let work = move || {
            let is_possible = password.is_some();
            let password = password.or_else(|| Password::read(NO_PASSWORD));
            let password = password.ok_or_else(|| Error::internal("the stand-in is refused"))?;
            if users.is_empty() {
                let salt = password::salt_of(password::DUMMY).unwrap_or_default();
                std::hint::black_box(password::is_same(&password.hash(salt)?, password::DUMMY));
            }
            let mut hashed: Option<String> = None;
            let mut matching = Vec::new();
            for user in users {
                let Some(stored) = user.password_hash.clone() else { continue };
                let salt = password::salt_of(stored.as_str()).unwrap_or_default();
                let fits = hashed.as_deref().and_then(password::salt_of) == Some(salt);
                let hash = match hashed.take().filter(|_| fits) {
                    Some(hash) => hash,
                    None => password.hash(salt)?,
                };
                if password::is_same(&hash, stored.as_str()) && is_possible {
                    matching.push(user);
                }
                hashed = Some(hash);
            }
            Ok(matching)
        };
        self.hashing.run(work).await
    }

    async fn may_use_password(&self, user: &Model) -> Result<bool> {
        Ok(self.authorizer.is_enabled(SubjectId::User(user.id)).await?
            && self.policy.password_allowed(user).await?)
    }

    /// Adds a failed sign-in to the audit log of the user's tenant, or of the root tenant if the
    /// address is unknown. The address is not recorded: people type passwords into its field.
    pub(super) fn record_failure(
        &self,
        user: Option<(UserId, TenantId)>,
        reason: &'static str,
        origin: &SignInOrigin,
    ) {
        self.audit.authentication_failed(FailedAuthentication {
            actor: user.map_or_else(|| "unknown".to_owned(), |(id, _)| id.to_string()),
            tenant: user.map(|(_, tenant)| tenant),
            operation: OPERATION,
            code: "access_denied",
            reason,
            request_id: origin.request_id.clone(),
        });
    }

    /// Records that the person is signed in, both factors given.
    ///
    /// # Errors
    /// If the database refuses; the transaction must then not be committed.
    pub async fn note_sign_in(
        &self,
        write: &Write<'_>,
        user: UserId,
        origin: &SignInOrigin,
    ) -> Result<()> {
        let row = self.locked_user(write, user).await?;
        let about = (row.id, row.tenant_id);
        let mut row = row.into_active_model();
        row.last_sign_in_at = Set(Some(self.clock.now()));
        row.update(write.on()).await?;
        self.record(write, about, OPERATION, origin).await
    }

    /// Ends all sessions and tokens of the person, who asks for it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn sign_out_everywhere(&self, user: UserId, origin: &SignInOrigin) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let row = self.locked_user(&write, user).await?;
            let about = (row.id, row.tenant_id);
            self.end_sign_ins(&write, row).await?;
            self.record(&write, about, "signOutEverywhere", origin).await
        };
        self.database.transaction(work).await?;
        self.authorizer.forget();
        Ok(())
    }

    /// Begins a new token generation: sessions and tokens of older ones are refused.
    pub(super) async fn end_sign_ins(&self, write: &Write<'_>, row: Model) -> Result<Model> {
        let generation = row.token_generation + 1;
        let mut row = row.into_active_model();
        row.token_generation = Set(generation);
        Ok(row.update(write.on()).await?)
    }

    /// The person as the database has them now.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if they are gone.
    pub async fn signed_in(&self, user: UserId) -> Result<User> {
        let row = Entity::signing_in(user).one(self.database.reader()).await?;
        one(self.database.reader(), row.ok_or_else(gone)?, self.clock.now()).await
    }

    /// The person, locked against other writers until the transaction ends.
    pub(super) async fn locked_user(&self, write: &Write<'_>, user: UserId) -> Result<Model> {
        use sea_orm::QuerySelect;
        let row = Entity::signing_in(user).lock_exclusive().one(write.on()).await?;
        row.ok_or_else(gone)
    }
}

/// The error for a user who was deleted meanwhile.
fn gone() -> Error {
    Error::new(ErrorCode::Unauthenticated, "the user does not exist any more")
}
