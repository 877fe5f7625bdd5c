//! The identity of a caller: the holder of an access token, or a person in a browser session.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::auth::{Presented, SubjectId, TokenRestriction, bearer};
use crate::clock::Timestamp;
use crate::error::{Error, Result, TokenProblem};
use crate::http::browser::{cookies, csrf, same_origin};
use crate::http::state::AppState;
use crate::sessions::Session;
use crate::tokens::Claims;

/// Stands for the `client_id` of a token where the caller has a session.
const SESSION_CLIENT_ID: &str = "session";

/// The purpose of looking up a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A request, which keeps the session from ending as idle.
    Request,
    /// A stream, which runs on by itself and does not keep the session alive.
    Stream,
}

/// A verified caller.
pub enum Identity {
    /// The holder of an access token.
    Token(Arc<Claims>),
    /// A person with a session.
    Session(Box<Session>),
}

impl Identity {
    /// Verifies the credentials of a request: an access token, or else the cookie of a session
    /// together with the token against forged requests, from a page of the gateway's own origin.
    /// A cookie alone never counts, since browsers send it by themselves.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without valid credentials; `FORBIDDEN` for a cookie that comes with a
    /// wrong token or from another origin.
    pub async fn read(state: &AppState, headers: &HeaderMap, used_for: Use) -> Result<Self> {
        let is_session = !headers.contains_key(AUTHORIZATION) && headers.contains_key(csrf::HEADER);
        if is_session {
            return Self::of_session(state, headers, used_for).await;
        }
        Ok(Self::Token(bearer::authenticate(&state.verifier, headers).await?))
    }

    async fn of_session(state: &AppState, headers: &HeaderMap, used_for: Use) -> Result<Self> {
        let cookie = cookies::read(headers, cookies::SESSION);
        let cookie = cookie.ok_or_else(|| Error::unauthenticated(TokenProblem::Missing))?;
        let token = headers.get(csrf::HEADER).and_then(|token| token.to_str().ok());
        let is_own = same_origin::is_own_page(state.pages.origin.as_deref(), headers);
        if !is_own || !csrf::is_valid(headers, token.unwrap_or_default()) {
            return Err(Error::forbidden(
                "X-CSRF-Token is not that of this session, or the request comes from another \
                 origin; GET /session tells the token to pages of the gateway",
            ));
        }
        let session = match used_for {
            Use::Request => state.sessions.find(&cookie).await?,
            Use::Stream => state.sessions.check(&cookie).await?,
        };
        let session = session.filter(Session::is_active);
        let session = session.ok_or_else(|| Error::unauthenticated(TokenProblem::Ended))?;
        Ok(Self::Session(Box::new(session)))
    }

    /// The client or person.
    pub fn subject(&self) -> SubjectId {
        match self {
            Self::Token(claims) => claims.subject(),
            Self::Session(session) => SubjectId::User(session.user),
        }
    }

    /// The identity with which the request enters a tenant.
    pub fn presented(&self) -> Presented {
        match self {
            Self::Token(claims) => Presented::from(&**claims),
            Self::Session(session) => Presented {
                subject: SubjectId::User(session.user),
                home: session.home,
                generation: session.generation,
                token: None,
                restriction: TokenRestriction::WHOLE,
            },
        }
    }

    /// The `client_id` that the token was issued to.
    pub fn client_id(&self) -> &str {
        match self {
            Self::Token(claims) => &claims.client_id,
            Self::Session(_) => SESSION_CLIENT_ID,
        }
    }

    /// Whether the token has expired by then. The end of a session cannot be told from its being
    /// ended.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        match self {
            Self::Token(claims) => now >= claims.expires_at(),
            Self::Session(_) => false,
        }
    }
}
