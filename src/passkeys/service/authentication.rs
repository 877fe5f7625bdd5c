//! Signs in with passkeys.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::{ActiveModelTrait, ColumnTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::{Value, json};
use webauthn_rs::prelude::{DiscoverableAuthentication, PublicKeyCredential, WebauthnError};

use super::{Passkeys, lock_person};
use crate::audit::FailedAuthentication;
use crate::auth::RequestId;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{CeremonyId, UserId};
use crate::passkeys::entity::{Column, Entity, Model};
use crate::passkeys::model::{Authenticated, Begun, Purpose, read, refused};
use crate::secret::PlainSecret;
use crate::users::entity as user;

/// Why a passkey was refused, as the audit log has it.
const CLONED: &str = "passkey_counter";
const WRONG: &str = "passkey_wrong";
const UNKNOWN: &str = "passkey_unknown";
const ELSEWHERE: &str = "single_sign_on_required";

/// How the transaction of an authentication ended.
enum Outcome {
    Authenticated(Authenticated),
    Refused(&'static str),
}

impl Passkeys {
    /// Begins the second factor of a known person: one of their passkeys answers.
    ///
    /// # Errors
    /// `CONFLICT` if the gateway's URL has no passkeys.
    pub async fn begin_second_factor(&self, user: UserId, browser: &PlainSecret) -> Result<Begun> {
        let known = Entity::of_user(user).all(self.database.reader()).await?;
        let allowed = known.iter().map(|row| {
            let id = URL_SAFE_NO_PAD.encode(&row.credential_id);
            json!({ "type": "public-key", "id": id })
        });
        self.begin(Purpose::SecondFactor, Some(user), browser, allowed.collect()).await
    }

    /// Begins a sign-in in which the passkey identifies the person, so that no answer reveals whether
    /// an address has passkeys.
    ///
    /// # Errors
    /// `CONFLICT` if the gateway's URL has no passkeys.
    pub async fn begin_sign_in(&self, browser: &PlainSecret) -> Result<Begun> {
        self.begin(Purpose::SignIn, None, browser, Vec::new()).await
    }

    async fn begin(
        &self,
        purpose: Purpose,
        user: Option<UserId>,
        browser: &PlainSecret,
        allowed: Vec<Value>,
    ) -> Result<Begun> {
        let begun = self.site()?.start_discoverable_authentication();
        let (options, state) = begun.map_err(Error::internal)?;
        let mut options = serde_json::to_value(options).map_err(Error::internal)?;
        options["publicKey"]["allowCredentials"] = Value::Array(allowed);
        // "conditional" would wait for the person to click into a form field; ours is a button.
        if let Some(options) = options.as_object_mut() {
            options.remove("mediation");
        }
        let ceremony = self.keep(purpose, user, browser, &state).await?;
        Ok(Begun { ceremony, options })
    }

    /// Finishes the second factor that the session of that person began.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a malformed credential; `FORBIDDEN`, in the same words for every cause,
    /// for a ceremony or a passkey that is not theirs, or a signature or counter that is wrong.
    pub async fn finish_second_factor(
        &self,
        user: UserId,
        browser: &PlainSecret,
        ceremony: CeremonyId,
        credential: Value,
        request_id: &RequestId,
    ) -> Result<Authenticated> {
        let credential = read(credential)?;
        let state = self.take(Purpose::SecondFactor, Some(user), browser, ceremony).await?;
        self.finish(Some(user), &credential, state, request_id).await
    }

    /// Finishes a sign-in that the pre-session of a browser began. People whose tenant has single
    /// sign-on are refused as with a password: their provider decides who they are.
    ///
    /// # Errors
    /// As [`Passkeys::finish_second_factor`].
    pub async fn finish_sign_in(
        &self,
        browser: &PlainSecret,
        ceremony: CeremonyId,
        credential: Value,
        request_id: &RequestId,
    ) -> Result<Authenticated> {
        let credential = read(credential)?;
        let state = self.take(Purpose::SignIn, None, browser, ceremony).await?;
        self.finish(None, &credential, state, request_id).await
    }

    async fn finish(
        &self,
        user: Option<UserId>,
        credential: &PublicKeyCredential,
        state: DiscoverableAuthentication,
        request_id: &RequestId,
    ) -> Result<Authenticated> {
        let reader = self.database.reader();
        let found = Entity::with_credential(&credential.raw_id).one(reader).await?;
        let owner = found.map(|row| row.user_id);
        let owner = owner.filter(|owner| user.is_none_or(|user| user == *owner));
        let person = match owner {
            Some(owner) => user::Entity::signing_in(owner).one(reader).await?,
            None => None,
        };
        let Some(person) = person else { return Err(self.refuse(None, UNKNOWN, request_id)) };
        if user.is_none() && !self.policy.password_allowed(&person).await? {
            return Err(self.refuse(Some(&person), ELSEWHERE, request_id));
        }
        let work = |write| self.finish_in(write, person.id, credential, &state);
        match self.database.transaction(work).await? {
            Outcome::Authenticated(authenticated) => Ok(authenticated),
            Outcome::Refused(reason) => Err(self.refuse(Some(&person), reason, request_id)),
        }
    }

    /// Verifies the signature against the passkey as it is now and keeps its new counter, under the
    /// lock of its person: a clone that answers at the same time finds the counter used.
    async fn finish_in(
        &self,
        write: Arc<Write<'_>>,
        owner: UserId,
        credential: &PublicKeyCredential,
        state: &DiscoverableAuthentication,
    ) -> Result<Outcome> {
        let person = lock_person(&write, owner).await?;
        let known = Entity::with_credential(&credential.raw_id).filter(Column::UserId.eq(owner));
        let Some(row) = known.one(write.on()).await? else {
            return Ok(Outcome::Refused(UNKNOWN));
        };
        // The user handle that the browser sent must be that of the passkey's owner.
        let told = credential.get_user_unique_id();
        if told.is_some_and(|told| told != owner.0.as_bytes()) {
            return Ok(Outcome::Refused(WRONG));
        }
        let mut passkey = self.open(&row)?;
        let verified =
            self.site()?.finish_discoverable_authentication_v2(credential, state.clone(), &passkey);
        let verified = match verified {
            Ok(verified) if verified.user_verified() => verified,
            Ok(_) => return Ok(Outcome::Refused(WRONG)),
            Err(WebauthnError::CredentialPossibleCompromise) => {
                return Ok(Outcome::Refused(CLONED));
            }
            Err(_) => return Ok(Outcome::Refused(WRONG)),
        };
        passkey.update_credential(&verified);
        let authenticated =
            Authenticated { user: owner, generation: person.token_generation, passkey: row.id };
        self.note_use(&write, row, &passkey).await?;
        Ok(Outcome::Authenticated(authenticated))
    }

    async fn note_use(
        &self,
        write: &Write<'_>,
        row: Model,
        passkey: &webauthn_rs::prelude::Passkey,
    ) -> Result<()> {
        let revision = row.revision + 1;
        let sealed = self.seal(row.id, row.user_id, passkey)?;
        let mut used = row.into_active_model();
        used.sealed_credential = Set(sealed);
        used.revision = Set(revision);
        used.last_used_at = Set(Some(self.clock.now()));
        used.update(write.on()).await?;
        Ok(())
    }

    /// Records a refused passkey and gives the one answer for all of them.
    fn refuse(
        &self,
        person: Option<&user::Model>,
        reason: &'static str,
        request_id: &RequestId,
    ) -> Error {
        self.audit.authentication_failed(FailedAuthentication {
            actor: person.map_or_else(|| "passkey".to_owned(), |person| person.id.to_string()),
            tenant: person.map(|person| person.tenant_id),
            operation: "passkey",
            code: "access_denied",
            reason,
            request_id: request_id.clone(),
        });
        refused()
    }
}
