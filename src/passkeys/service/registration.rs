//! Registers passkeys.

use std::sync::Arc;

use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait};
use serde_json::{Value, json};
use webauthn_rs::prelude::{CredentialID, PasskeyRegistration};

use super::{Passkeys, lock_person};
use crate::auth::RequestId;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{CeremonyId, PasskeyId, UserId};
use crate::names::Name;
use crate::passkeys::entity::{Entity, Model};
use crate::passkeys::model::{Begun, Passkey, Purpose, Registrant, read, refused};
use crate::secret::PlainSecret;
use crate::users::entity as user;

/// The most passkeys of a person.
const PASSKEYS_MAX: u64 = 20;

impl Passkeys {
    /// Begins the registration of a passkey. The caller has made sure that the session may: it has
    /// just shown both factors, or comes from an invitation.
    ///
    /// # Errors
    /// `CONFLICT` if the gateway's URL has no passkeys, or the person has 20.
    pub async fn begin_registration(&self, user: UserId, browser: &PlainSecret) -> Result<Begun> {
        let reader = self.database.reader();
        let person = user::Entity::signing_in(user).one(reader).await?.ok_or_else(refused)?;
        let known = Entity::of_user(user).all(reader).await?;
        require_room(known.len() as u64)?;
        let known: Vec<_> =
            known.into_iter().map(|row| CredentialID::from(row.credential_id)).collect();
        let site = self.site()?;
        let begun =
            site.start_passkey_registration(user.0, &person.email, &person.name, Some(known));
        let (options, state) = begun.map_err(Error::internal)?;
        let mut options = serde_json::to_value(options).map_err(Error::internal)?;
        // The library knows no more than "required" and "discouraged". A passkey that the browser
        // finds by itself can sign in without an e-mail address; one that it cannot is a second
        // factor all the same.
        options["publicKey"]["authenticatorSelection"]["residentKey"] = json!("preferred");
        let ceremony = self.keep(Purpose::Registration, Some(user), browser, &state).await?;
        Ok(Begun { ceremony, options })
    }

    /// Finishes the registration that the session began.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a malformed credential or name, `FORBIDDEN` for a ceremony that is not
    /// this session's, ended, or answered wrongly, `CONFLICT` for a passkey that is registered.
    pub async fn finish_registration(
        &self,
        registrant: Registrant,
        browser: &PlainSecret,
        ceremony: CeremonyId,
        credential: Value,
        name: &str,
        request_id: &RequestId,
    ) -> Result<Passkey> {
        let name = Name::parse("name", name)?;
        let credential = read(credential)?;
        let state: PasskeyRegistration =
            self.take(Purpose::Registration, Some(registrant.user), browser, ceremony).await?;
        let made = self.site()?.finish_passkey_registration(&credential, &state);
        let made = made.map_err(|error| refused().because(error))?;
        let id = PasskeyId::random(&*self.entropy);
        let row = Model {
            id,
            user_id: registrant.user,
            credential_id: made.cred_id().clone(),
            sealed_credential: self.seal(id, registrant.user, &made)?,
            name: name.as_str().to_owned(),
            revision: 1,
            created_at: self.clock.now(),
            last_used_at: None,
        };
        let work = |write| self.register_in(write, registrant, &row, request_id);
        self.database.transaction(work).await?;
        Ok(row.into())
    }

    async fn register_in(
        &self,
        write: Arc<Write<'_>>,
        registrant: Registrant,
        row: &Model,
        request_id: &RequestId,
    ) -> Result<()> {
        let person = lock_person(&write, registrant.user).await?;
        if person.token_generation != registrant.generation {
            return Err(refused());
        }
        require_room(Entity::of_user(row.user_id).count(write.on()).await?)?;
        if Entity::with_credential(&row.credential_id).one(write.on()).await?.is_some() {
            return Err(Error::conflict("this passkey is registered already"));
        }
        Entity::insert(row.clone().into_active_model()).exec_without_returning(write.on()).await?;
        self.record(&write, &person, "registerPasskey", row.id, request_id).await
    }
}

fn require_room(passkeys: u64) -> Result<()> {
    if passkeys < PASSKEYS_MAX {
        return Ok(());
    }
    Err(Error::conflict("a person has at most 20 passkeys: remove one first"))
}
