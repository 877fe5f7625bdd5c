//! Registers passkeys, signs in with them, and lets people look after theirs.

mod authentication;
mod ceremonies;
mod registration;

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, ModelTrait, PaginatorTrait,
    QueryFilter, Set,
};

use super::entity::{Column, Entity, Model, ceremony, person};
use super::model::{Passkey, RelyingParty, binding, refused};
use crate::audit::{Audit, EndpointChange};
use crate::auth::RequestId;
use crate::clock::Clock;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::{PasskeyId, UserId};
use crate::names::Name;
use crate::seal::MasterKey;
use crate::users::SingleSignOnPolicy;
use crate::users::entity as user;

const WHAT: &str = "passkey";

/// The passkeys of all people.
pub struct Passkeys {
    database: Arc<Database>,
    master: Arc<MasterKey>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    audit: Arc<Audit>,
    policy: Arc<dyn SingleSignOnPolicy>,
    site: Option<RelyingParty>,
}

/// The dependencies of [`Passkeys`].
pub struct Dependencies {
    /// The database.
    pub database: Arc<Database>,
    /// Seals passkeys and ceremonies.
    pub master: Arc<MasterKey>,
    /// The source of ids and nonces.
    pub entropy: Arc<dyn Entropy>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Records changes and refused sign-ins.
    pub audit: Arc<Audit>,
    /// Decides whether a user may sign in here or only at an identity provider.
    pub policy: Arc<dyn SingleSignOnPolicy>,
}

impl Passkeys {
    /// Creates the service for the site at `public_url`.
    pub fn new(with: Dependencies, public_url: &str) -> Self {
        let Dependencies { database, master, entropy, clock, audit, policy } = with;
        let site = RelyingParty::of(public_url);
        Self { database, master, entropy, clock, audit, policy, site }
    }

    /// Whether browsers offer passkeys at this gateway's URL.
    pub fn are_available(&self) -> bool {
        self.site.is_some()
    }

    /// The passkeys of a person, oldest first.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(&self, user: UserId) -> Result<Vec<Passkey>> {
        let rows = Entity::of_user(user).all(self.database.reader()).await?;
        Ok(rows.into_iter().map(Passkey::from).collect())
    }

    /// Renames a passkey of that person.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a name that is none, `NOT_FOUND` for a passkey that is not theirs.
    pub async fn rename(
        &self,
        user: UserId,
        id: PasskeyId,
        name: &str,
        request_id: &RequestId,
    ) -> Result<()> {
        let name = Name::parse("name", name)?;
        let work = async |write: Arc<Write<'_>>| {
            let person = lock_person(&write, user).await?;
            let passkey = of_person(&write, user, id).await?;
            let revision = passkey.revision + 1;
            let mut changed = passkey.into_active_model();
            changed.name = Set(name.as_str().to_owned());
            changed.revision = Set(revision);
            changed.update(write.on()).await?;
            self.record(&write, &person, "renamePasskey", id, request_id).await
        };
        self.database.transaction(work).await
    }

    /// Removes a passkey of that person, but never their last second factor.
    ///
    /// # Errors
    /// `NOT_FOUND` for a passkey that is not theirs, `CONFLICT` if nothing else would remain.
    pub async fn remove(&self, user: UserId, id: PasskeyId, request_id: &RequestId) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let person = lock_person(&write, user).await?;
            let passkey = of_person(&write, user, id).await?;
            let passkeys = Entity::of_user(user).count(write.on()).await?;
            let one_time_passwords = person::one_time_passwords(user).count(write.on()).await?;
            if passkeys + one_time_passwords < 2 {
                let message = "this is the last second factor: set up another one first";
                return Err(Error::conflict(message));
            }
            passkey.delete(write.on()).await?;
            self.record(&write, &person, "removePasskey", id, request_id).await
        };
        self.database.transaction(work).await
    }

    /// Deletes ceremonies that nobody can finish any more.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        let expired = ceremony::Entity::forget_expired(self.clock.now());
        Ok(expired.exec(write.on()).await.map(drop)?)
    }

    fn site(&self) -> Result<&webauthn_rs::Webauthn> {
        let message = "passkeys are not available: the gateway needs a public URL with a host name \
                       and TLS";
        self.site.as_ref().map(|site| &site.0).ok_or_else(|| Error::conflict(message))
    }

    fn open(&self, row: &Model) -> Result<webauthn_rs::prelude::Passkey> {
        let opened = self.master.open(&binding(row.id, row.user_id), &row.sealed_credential)?;
        serde_json::from_slice(&opened).map_err(Error::internal)
    }

    fn seal(
        &self,
        id: PasskeyId,
        user: UserId,
        credential: &webauthn_rs::prelude::Passkey,
    ) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(credential).map_err(Error::internal)?;
        Ok(self.master.seal(&*self.entropy, &binding(id, user), &plain))
    }

    async fn record(
        &self,
        write: &Write<'_>,
        person: &user::Model,
        operation: &'static str,
        passkey: PasskeyId,
        request_id: &RequestId,
    ) -> Result<()> {
        let change = EndpointChange {
            actor: person.id.to_string(),
            tenant: person.tenant_id,
            operation,
            subject: passkey.to_string(),
            request_id: request_id.clone(),
        };
        self.audit.record_change(write, change).await
    }
}

/// The enabled person, locked until the transaction ends.
async fn lock_person(write: &Write<'_>, user: UserId) -> Result<user::Model> {
    person::locked(user).one(write.on()).await?.ok_or_else(refused)
}

async fn of_person(write: &Write<'_>, user: UserId, id: PasskeyId) -> Result<Model> {
    let found = Entity::of_user(user).filter(Column::Id.eq(id)).one(write.on()).await?;
    found.ok_or_else(|| Error::not_found(WHAT))
}

/// Reseals every passkey that the previous master key sealed, and returns how many. It may be
/// stopped and run again. Ceremonies are not resealed: they end within minutes, and both keys open
/// them until then.
///
/// # Errors
/// If the database fails, or a passkey was sealed by neither key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in Entity::all_rows().all(database.reader()).await? {
        let binding = binding(row.id, row.user_id);
        let Some(anew) = master.rewrap(entropy, &binding, &row.sealed_credential)? else {
            continue;
        };
        // Replaces only the value that was read: one changed meanwhile is sealed by the new key
        // already.
        let reseal = Entity::update_many()
            .col_expr(Column::SealedCredential, Expr::val(anew))
            .filter(Column::Id.eq(row.id))
            .filter(Column::SealedCredential.eq(row.sealed_credential));
        let work = async |write: Arc<Write<'_>>| Ok(reseal.clone().exec(write.on()).await?);
        database.transaction(work).await?;
        count += 1;
    }
    Ok(count)
}
