//! Begins, finds, completes and ends sessions.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::json;

use super::entity::{self, Bounds, Completed, Entity, Found, Model};
use super::model::{NewSession, Session, SessionInfo, SessionSettings, SessionState};
use crate::audit::{self, Audit, EndpointChange, Entry};
use crate::auth::{RequestId, TenantScope};
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result, TokenProblem};
use crate::ids::{SessionId, TenantId, UserId};
use crate::secret::PlainSecret;
use crate::tokens::Authentication;
use crate::users::{SignInOrigin, Users};

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

    /// Begins a session. Returns the cookie, which is stored nowhere.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the person is gone, disabled, or was signed out since they were
    /// authenticated; if the database refuses.
    pub async fn begin(&self, new: &NewSession, origin: &SignInOrigin) -> Result<PlainSecret> {
        let cookie = PlainSecret::generate(&*self.entropy);
        let id = SessionId::random(&*self.entropy);
        let work =
            async |write: Arc<Write<'_>>| self.begin_in(&write, id, new, &cookie, origin).await;
        self.database.transaction(work).await?;
        Ok(cookie)
    }

    async fn begin_in(
        &self,
        write: &Write<'_>,
        id: SessionId,
        new: &NewSession,
        cookie: &PlainSecret,
        origin: &SignInOrigin,
    ) -> Result<()> {
        let generation = entity::generation(write.on(), new.user).await?;
        if generation != Some(new.generation) {
            return Err(Error::unauthenticated(TokenProblem::Ended));
        }
        let now = self.clock.now();
        let session = Model {
            id,
            cookie_hash: cookie.hash(),
            user_id: new.user,
            generation: new.generation,
            state: new.state.as_str().to_owned(),
            may_enrol: new.may_enrol,
            authenticated_at: new.authentication.auth_time,
            methods: new.authentication.methods.join(" "),
            address: new.visitor.address.to_string(),
            user_agent: new.visitor.user_agent.clone(),
            wrong_codes: 0,
            created_at: now,
            last_seen_at: now,
        };
        Entity::insert(session.into_active_model()).exec_without_returning(write.on()).await?;
        self.end_surplus(write, new.user, new.state).await?;
        if new.state == SessionState::Active {
            self.users.note_sign_in(write, new.user, origin).await?;
        }
        Ok(())
    }

    /// Ends the sessions beyond the limit, those used longest ago. Sign-ins that wait for a second
    /// factor are counted apart: a password alone must not end a session.
    async fn end_surplus(
        &self,
        write: &Write<'_>,
        user: UserId,
        state: SessionState,
    ) -> Result<()> {
        Ok(entity::delete_surplus(write.on(), user, state, self.settings.per_user).await?)
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

    /// Completes a sign-in by a second factor of that method (RFC 8176). Returns the session's new
    /// cookie. The previous one stops working, which defeats session fixation: a cookie planted
    /// before the sign-in is worthless after it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` if the session has ended or was completed already, or single sign-on
    /// decides about the person since the password was given; if the database refuses.
    pub async fn complete(
        &self,
        session: &Session,
        method: &str,
        origin: &SignInOrigin,
    ) -> Result<PlainSecret> {
        if !self.users.password_allowed(session.user).await? {
            return Err(Error::unauthenticated(TokenProblem::Ended));
        }
        let cookie = PlainSecret::generate(&*self.entropy);
        let mut methods = session.authentication.methods.clone();
        methods.extend([method.to_owned(), "mfa".to_owned()]);
        methods.dedup();
        let work = async |write: Arc<Write<'_>>| {
            let completed = Completed {
                id: session.id,
                cookie: cookie.hash(),
                methods: methods.join(" "),
                at: self.clock.now(),
            };
            if !entity::complete(write.on(), completed).await? {
                return Err(Error::unauthenticated(TokenProblem::Ended));
            }
            self.end_surplus(&write, session.user, SessionState::Active).await?;
            self.users.note_sign_in(&write, session.user, origin).await
        };
        self.database.transaction(work).await?;
        Ok(cookie)
    }

    /// Ends a session of a person; `operation` is the name in the audit log. Returns whether there
    /// was one.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn end(
        &self,
        user: UserId,
        home: TenantId,
        id: SessionId,
        operation: &'static str,
        request_id: &RequestId,
    ) -> Result<bool> {
        let work = async |write: Arc<Write<'_>>| {
            let ended = entity::delete(write.on(), user, id).await?;
            if ended {
                let change = change(user, home, operation, id, request_id);
                self.audit.record_change(&write, change).await?;
            }
            Ok(ended)
        };
        self.database.transaction(work).await
    }

    /// Ends a session of a user for an administrator.
    ///
    /// # Errors
    /// `NOT_FOUND` for a user outside the scope, and for a session that is not theirs or has ended;
    /// `FORBIDDEN` for a user whom the caller has no authority over.
    pub async fn end_of_user(&self, scope: &TenantScope, user: &str, id: SessionId) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let user = self.users.managed_in(&write, scope, user).await?;
            if !entity::delete(write.on(), user.id(), id).await? {
                return Err(Error::not_found("session"));
            }
            let entry = Entry {
                operation: "endUserSession",
                tenant: user.tenant(),
                subject: id.to_string(),
                before: Some(json!({ "userID": user.id() })),
                after: None,
            };
            audit::record(write.on(), &*self.entropy, scope, entry).await
        };
        self.database.transaction(work).await
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

fn change(
    user: UserId,
    home: TenantId,
    operation: &'static str,
    session: SessionId,
    request_id: &RequestId,
) -> EndpointChange {
    EndpointChange {
        actor: user.to_string(),
        tenant: home,
        operation,
        subject: session.to_string(),
        request_id: request_id.clone(),
    }
}

fn info(session: Model) -> SessionInfo {
    SessionInfo {
        id: session.id,
        is_active: session.state == SessionState::Active.as_str(),
        methods: methods(&session.methods),
        address: session.address,
        user_agent: session.user_agent,
        authenticated_at: session.authenticated_at,
        created_at: session.created_at,
        last_seen_at: session.last_seen_at,
    }
}

fn methods(stored: &str) -> Vec<String> {
    stored.split_whitespace().map(str::to_owned).collect()
}

/// A session with a state that this version knows.
fn session(found: Found) -> Option<Session> {
    let row = found.session;
    let state = [SessionState::Mfa, SessionState::Active];
    let state = state.into_iter().find(|state| state.as_str() == row.state)?;
    let methods = methods(&row.methods);
    Some(Session {
        id: row.id,
        user: row.user_id,
        home: found.tenant_id,
        email: found.email,
        generation: row.generation,
        state,
        may_enrol: row.may_enrol,
        authentication: Authentication { auth_time: row.authenticated_at, methods },
        address: row.address,
        user_agent: row.user_agent,
        wrong_codes: row.wrong_codes,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
    })
}
