//! Sessions as the rooms see them, from rows of the table.

use crate::sessions::entity::{Found, Model};
use crate::sessions::model::{Session, SessionInfo, SessionState};
use crate::tokens::Authentication;

/// A session as its person sees it in a list.
pub(super) fn info(session: Model) -> SessionInfo {
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

/// The session of a row; none if its state is one that this version does not know.
pub(super) fn session(found: Found) -> Option<Session> {
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
