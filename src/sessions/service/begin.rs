//! Begins a session, and completes it by a second factor.

use std::sync::Arc;

use sea_orm::{EntityTrait, IntoActiveModel};

use super::Sessions;
use crate::database::Write;
use crate::error::{Error, Result, TokenProblem};
use crate::ids::{SessionId, UserId};
use crate::secret::PlainSecret;
use crate::sessions::entity::{self, Completed, Entity, Model};
use crate::sessions::model::{NewSession, Session, SessionState};
use crate::users::SignInOrigin;

impl Sessions {
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
}
