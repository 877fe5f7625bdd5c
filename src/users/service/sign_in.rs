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

/// The most users that are tried: users of many tenants may have one address.
const USERS_TRIED: u64 = 1_000;

/// The most salts that are tried, each at the cost of a hash. Users with one address share a salt;
/// only those who set their passwords at the same moment may have two.
const SALTS_TRIED: usize = 4;

/// The most tenants that are told of a failed sign-in, those that have the user longest.
const TENANTS_TOLD: usize = 16;

/// Hashed in place of a password that no user can have, to equalise the timing.
const NO_PASSWORD: &str = "a password that nobody has";

/// The name of the sign-in in the audit log.
const OPERATION: &str = "signIn";

impl Users {
    /// Checks an address and a password. An unknown address, a disabled user, and a wrong or missing
    /// password all cost a hash and have the same result. An address that several tenants have is
    /// tried in each of them, in a thousand at most, those that have it longest; while others have
    /// to wait, only with the users who signed in from the network lately.
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
        let found = Entity::with_password(&folded, USERS_TRIED).all(self.database.reader());
        let mut found = found.await?;
        let users: Vec<UserId> = found.iter().map(|user| user.id).collect();
        let keys = SignInKeys::new(&folded, origin.address, &users);
        let admission = self.throttle.admit(&keys).await?;
        if let Admission::Blocked { retry_after, by_network: true } = admission {
            self.record_failure(None, "network_slowed", origin);
            return Ok(PasswordOutcome::SlowDown { retry_after });
        }
        // Those who are tried come first, and are told first.
        found.sort_by_key(|user| !admission.admits(user.id));
        let told = found.iter().take(TENANTS_TOLD).map(|user| (user.id, user.tenant_id));
        let told: Vec<_> = told.collect();
        if let Admission::AdmittedFor(known) = &admission {
            found.truncate(known.len());
        }
        let matching = match self.matching(password, found).await {
            Ok(matching) => matching,
            Err(error) if error.code() == ErrorCode::RateLimited => {
                let wait = self.throttle.not_compared(&keys, &admission).await;
                let wait = wait.inspect_err(Error::log_cause).unwrap_or_default();
                return Ok(PasswordOutcome::SlowDown { retry_after: wait.max(hashing::WAIT_MAX) });
            }
            Err(error) => return Err(error),
        };
        if let Admission::Blocked { retry_after, .. } = admission {
            self.record_refusals(&told, &admission, origin);
            return Ok(PasswordOutcome::SlowDown { retry_after });
        }
        for user in matching {
            if self.may_use_password(&user).await? {
                self.throttle.succeeded(&keys, &admission, user.id, origin.address).await?;
                let user = one(self.database.reader(), user, self.clock.now()).await?;
                return Ok(PasswordOutcome::Accepted(Box::new(user)));
            }
        }
        self.record_refusals(&told, &admission, origin);
        Ok(PasswordOutcome::Refused)
    }

    /// The users with this password. Hashes it once for each salt, for a few salts at most; without
    /// users, once with a dummy salt.
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
            let mut hashes: Vec<(String, String)> = Vec::new();
            let mut matching = Vec::new();
            for user in users {
                let Some(stored) = user.password_hash.clone() else { continue };
                let salt = password::salt_of(stored.as_str()).unwrap_or_default();
                if !hashes.iter().any(|(known, _)| known == salt) && hashes.len() < SALTS_TRIED {
                    hashes.push((salt.to_owned(), password.hash(salt)?));
                }
                let hash = hashes.iter().find(|(known, _)| known == salt);
                if hash.is_some_and(|(_, hash)| password::is_same(hash, stored.as_str()))
                    && is_possible
                {
                    matching.push(user);
                }
            }
            Ok(matching)
        };
        self.hashing.run(work).await
    }

    /// Whether the person may sign in with a password: not if single sign-on decides about them.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn password_allowed(&self, user: UserId) -> Result<bool> {
        match Entity::signing_in(user).one(self.database.reader()).await? {
            Some(person) => self.policy.password_allowed(&person).await,
            None => Ok(false),
        }
    }

    async fn may_use_password(&self, user: &Model) -> Result<bool> {
        Ok(self.authorizer.is_enabled(SubjectId::User(user.id)).await?
            && self.policy.password_allowed(user).await?)
    }

    /// Adds a failed sign-in to the audit log of each tenant that has a user with the address.
    fn record_refusals(
        &self,
        users: &[(UserId, TenantId)],
        admission: &Admission,
        origin: &SignInOrigin,
    ) {
        let reason = |is_tried: bool| if is_tried { "password_refused" } else { "slowed" };
        if users.is_empty() {
            self.record_failure(None, reason(*admission == Admission::Admitted), origin);
        }
        for user in users {
            self.record_failure(Some(*user), reason(admission.admits(user.0)), origin);
        }
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

    /// Begins a new token generation of a locked user: sessions and tokens of older ones are
    /// refused.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn end_sign_ins(&self, write: &Write<'_>, row: Model) -> Result<Model> {
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
