//! Answers programs that poll or wait, and redeems approvals.

use std::sync::Arc;
use std::time::Duration;

use super::{DeviceAuthorizations, millis};
use crate::clock::Timestamp;
use crate::database::Write;
use crate::device_authorization::entity::{self, Entity, Model, status};
use crate::device_authorization::held::Held;
use crate::device_authorization::model::{Approval, Polled, ProgramName};
use crate::error::Result;
use crate::ids::TenantId;
use crate::secret::PlainSecret;
use crate::tokens::Authentication;

/// The wait that a program adds for each poll that comes too early (RFC 8628, section 3.5), and the
/// longest that comes of it.
const SLOW_DOWN: Duration = Duration::from_secs(5);
const INTERVAL_MAX: Duration = Duration::from_mins(1);

/// A poll that comes sooner after the one before is answered without being noted: no program makes
/// the gateway write more often.
const NOTED_EVERY: Duration = Duration::from_secs(1);

impl DeviceAuthorizations {
    /// Answers a poll of a program (RFC 8628, section 3.5).
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn poll(&self, code: &PlainSecret, program: &ProgramName) -> Result<Polled> {
        let found = Entity::of_device(&code.hash()).one(self.database.reader()).await?;
        let Some(row) = found.filter(|row| row.program == program.as_str()) else {
            return Ok(Polled::Unknown);
        };
        let now = self.clock.now();
        if row.status != status::PENDING || row.expires_at <= now {
            return Ok(settled(row, now));
        }
        let since = row.last_polled_at.map(|polled| now.since(polled));
        let is_early = since.is_some_and(|since| millis(since) < row.poll_interval);
        if since.is_none_or(|since| since >= NOTED_EVERY) {
            let more = if is_early { millis(SLOW_DOWN) } else { 0 };
            let next = (row.poll_interval + more).min(millis(INTERVAL_MAX));
            let note = async |write: Arc<Write<'_>>| {
                Ok(entity::note_poll(write.on(), row.id, now, next).await?)
            };
            self.database.transaction(note).await?;
        }
        Ok(if is_early { Polled::SlowDown } else { Polled::Pending })
    }

    /// Answers a held request; [`Polled::Pending`] as long as nobody has decided.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn look(&self, code: &PlainSecret, program: &ProgramName) -> Result<Polled> {
        let found = Entity::of_device(&code.hash()).one(self.database.reader()).await?;
        let found = found.filter(|row| row.program == program.as_str());
        Ok(found.map_or(Polled::Unknown, |row| settled(row, self.clock.now())))
    }

    /// Holds a request of a program until its code is decided; nothing if there is no such code.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn hold(&self, code: &PlainSecret) -> Result<Option<Held>> {
        let found = Entity::of_device(&code.hash()).one(self.database.reader()).await?;
        Ok(found.map(|row| self.held.hold(row.id)))
    }

    /// The tenant that the approver belongs to; nothing if the person was disabled, or signed out
    /// everywhere, since the approval.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn home_of_approver(&self, approval: &Approval) -> Result<Option<TenantId>> {
        let reader = self.database.reader();
        Ok(entity::home_of(reader, approval.user, approval.generation).await?)
    }

    /// Uses an approval up. Returns false if another request of the same program was first, or the
    /// code has ended: no token may be given out then.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn redeem(&self, approval: &Approval) -> Result<bool> {
        let now = self.clock.now();
        let work = async |write: Arc<Write<'_>>| {
            let id = approval.id;
            Ok(entity::advance(write.on(), id, status::APPROVED, status::USED, now).await?)
        };
        self.database.transaction(work).await
    }
}

/// The answer to a program, without counting the poll.
fn settled(row: Model, now: Timestamp) -> Polled {
    match row.status.as_str() {
        status::USED => Polled::Unknown,
        status::DENIED => Polled::DeniedByPerson,
        _ if row.expires_at <= now => Polled::Expired,
        status::PENDING => Polled::Pending,
        _ => approval(row).map_or(Polled::Unknown, Polled::Approved),
    }
}

fn approval(row: Model) -> Option<Approval> {
    let methods = row.methods.unwrap_or_default();
    Some(Approval {
        id: row.id,
        program: row.program,
        user: row.user_id?,
        generation: row.generation?,
        tenant: row.tenant_id,
        scope: row.scope,
        authentication: Authentication {
            auth_time: row.authenticated_at?,
            methods: methods.split_whitespace().map(str::to_owned).collect(),
        },
    })
}
