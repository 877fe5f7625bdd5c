//! Ceremonies: each works once, within five minutes, in the browser that it began in.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{EntityTrait, IntoActiveModel};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Passkeys;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{CeremonyId, UserId};
use crate::passkeys::entity::ceremony;
use crate::passkeys::model::{Purpose, ceremony_binding, refused};
use crate::secret::PlainSecret;

/// How long a person may take. Browsers are told the same.
const LIFETIME: Duration = Duration::from_mins(5);

impl Passkeys {
    /// Keeps the state of a ceremony that begins in a browser, in place of one that it had begun
    /// before. `browser` is a cookie that only this browser has.
    pub(super) async fn keep(
        &self,
        purpose: Purpose,
        user: Option<UserId>,
        browser: &PlainSecret,
        state: &impl Serialize,
    ) -> Result<CeremonyId> {
        let id = CeremonyId::random(&*self.entropy);
        let plain = serde_json::to_vec(state).map_err(Error::internal)?;
        let browser_hash = browser.hash();
        let row = ceremony::Model {
            id,
            purpose: purpose.as_str().to_owned(),
            user_id: user,
            browser_hash: browser_hash.clone(),
            sealed_state: self.master.seal(&*self.entropy, &ceremony_binding(id), &plain),
            expires_at: self.clock.now().plus(LIFETIME),
        };
        let work = async |write: Arc<Write<'_>>| {
            ceremony::Entity::forget_of_browser(&browser_hash).exec(write.on()).await?;
            let insert = ceremony::Entity::insert(row.clone().into_active_model());
            Ok(insert.exec_without_returning(write.on()).await.map(drop)?)
        };
        self.database.transaction(work).await?;
        Ok(id)
    }

    /// Takes a ceremony of a browser: it works once, whatever comes of it.
    pub(super) async fn take<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        user: Option<UserId>,
        browser: &PlainSecret,
        id: CeremonyId,
    ) -> Result<T> {
        let browser = browser.hash();
        let work = async |write: Arc<Write<'_>>| {
            let found = ceremony::Entity::of_browser(id, &browser).one(write.on()).await?;
            let Some(found) = found else { return Ok(None) };
            let taken = ceremony::Entity::take(id).exec(write.on()).await?;
            Ok(Some(found).filter(|_| taken.rows_affected == 1))
        };
        let taken = self.database.transaction(work).await?;
        let now = self.clock.now();
        let live = taken.filter(|row| {
            row.purpose == purpose.as_str() && row.user_id == user && now < row.expires_at
        });
        let row = live.ok_or_else(refused)?;
        let state = self.master.open(&ceremony_binding(id), &row.sealed_state)?;
        serde_json::from_slice(&state).map_err(Error::internal)
    }
}
