//! Begins, finds, completes and ends sessions.
//!
//! | module | contents |
//! |---|---|
//! | `begin` | begins a session, and completes it by a second factor |
//! | `end` | ends sessions, for their person or an administrator |
//! | `rows` | sessions as the rooms see them, from rows of the table |

mod begin;
mod end;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use self::rows::{info, session};
use super::entity::{self, Bounds, Entity};
use super::model::{Session, SessionInfo, SessionSettings};
use crate::audit::Audit;
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{SessionId, UserId};
use crate::secret::PlainSecret;
use crate::users::Users;

/// The shortest time between two updates of `last_seen_at`.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// How long a sign-in may take from the first factor to the second.
const PENDING_LIFETIME: Duration = Duration::from_mins(30);

/// The sessions in a database.
pub struct Sessions {
    database: Arc<Database>,
    audit: Arc<Audit>,
    users: Arc<Users>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: SessionSettings,
}

impl Sessions {
    /// The sessions in that database.
    pub fn new(
        database: Arc<Database>,
        audit: Arc<Audit>,
        users: Arc<Users>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: SessionSettings,
    ) -> Self {
        Self { database, audit, users, clock, entropy, settings }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The live session of a cookie; none if it has ended, or its person was disabled or signed out
    /// everywhere. Notes that it is used, once a minute.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn find(&self, cookie: &PlainSecret) -> Result<Option<Session>> {
        let now = self.clock.now();
        let Some(session) = self.check(cookie).await? else { return Ok(None) };
        if now.since(session.last_seen_at) >= TOUCH_EVERY {
            let touch =
                async |write: Arc<Write<'_>>| Ok(entity::touch(write.on(), session.id, now).await?);
            self.database.transaction(touch).await?;
        }
        Ok(Some(session))
    }

    /// The live session of a cookie, without noting that it is used.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn check(&self, cookie: &PlainSecret) -> Result<Option<Session>> {
        let bounds = self.bounds(self.clock.now());
        let found = entity::find(self.database.reader(), &cookie.hash(), bounds).await?;
        Ok(found.and_then(session))
    }

    /// The live sessions of a person, the last used first. Their number is bounded by the settings.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(&self, user: UserId) -> Result<Vec<SessionInfo>> {
        let reader = self.database.reader();
        let Some(generation) = entity::generation(reader, user).await? else {
            return Ok(Vec::new());
        };
        let live = Entity::of_user(user, generation, self.bounds(self.clock.now()));
        let live = live.all(reader).await?;
        Ok(live.into_iter().map(info).collect())
    }

    /// Counts a wrong device code that was entered in a session.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn count_wrong_code(&self, id: SessionId) -> Result<()> {
        let work =
            async |write: Arc<Write<'_>>| Ok(entity::count_wrong_code(write.on(), id).await?);
        self.database.transaction(work).await
    }

    /// Deletes sessions that are over.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        Ok(entity::delete_expired(write.on(), self.bounds(self.clock.now())).await?)
    }

    fn bounds(&self, now: Timestamp) -> Bounds {
        Bounds {
            seen: now.minus(self.settings.idle_timeout),
            begun: now.minus(self.settings.lifetime),
            pending_begun: now.minus(PENDING_LIFETIME),
        }
    }
}
