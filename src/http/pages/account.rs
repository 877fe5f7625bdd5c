//! `/account`: one's own sessions and second factors.

use axum::http::StatusCode;
use axum::response::Response;

use super::passkeys;
use super::views::{AccountPage, SessionRow};
use super::visit::Visit;
use crate::error::Error;
use crate::http::paths::{ACCOUNT, LOGIN};
use crate::sessions::{Session, SessionInfo};

/// Shows the page.
pub async fn show(visit: Visit) -> Response {
    let session = match visit.signed_in() {
        Ok(session) => session,
        Err(elsewhere) => return elsewhere,
    };
    let answer = page(&visit, session).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, session: &Session) -> Result<Response, Error> {
    let state = &visit.state;
    let own = session.id;
    let user = state.users.signed_in(session.user).await?;
    let listed = state.passkeys.list(session.user).await?;
    let sessions = state.sessions.list(session.user).await?;
    let rows = sessions.into_iter().map(|session| SessionRow {
        id: session.id.to_string(),
        is_own: session.id == own,
        created_at: session.created_at.to_string(),
        last_seen_at: session.last_seen_at.to_string(),
        address: session.address.clone(),
        user_agent: shown_agent(&session),
    });
    let ended = visit.query.get("ended").is_some();
    let page = AccountPage {
        page: visit.frame(),
        name: user.row.name.clone(),
        email: user.row.email.clone(),
        tenant: state.tenants.name_of(user.tenant()).await?.unwrap_or_default(),
        has_totp: user.factors.totp,
        passkeys: listed.into_iter().map(passkeys::row).collect(),
        sessions: rows.collect(),
        notice: ended.then_some("The session has ended."),
    };
    Ok(visit.page(StatusCode::OK, &page))
}

fn shown_agent(session: &SessionInfo) -> String {
    if session.user_agent.is_empty() {
        return "unknown browser".to_owned();
    }
    session.user_agent.clone()
}

/// Leads to the page: a sign-in may come back here after a form.
pub async fn to_account(visit: Visit) -> Response {
    visit.redirect(ACCOUNT)
}

/// Ends one session of the person, or all their sessions and tokens.
pub async fn end_sessions(visit: Visit) -> Response {
    let session = match visit.signed_in() {
        Ok(session) => session,
        Err(elsewhere) => return elsewhere,
    };
    let answer = end(&visit, session).await;
    visit.answer(answer)
}

async fn end(visit: &Visit, session: &Session) -> Result<Response, Error> {
    let state = &visit.state;
    if visit.form.text("action") == "end_all" {
        state.users.sign_out_everywhere(session.user, &visit.origin()).await?;
        return Ok(visit.redirect_without_session(LOGIN));
    }
    // The response is the same for a session of somebody else and for one that has ended: it must
    // not confirm that an id exists.
    if let Ok(id) = visit.form.text("session").parse() {
        state.sessions.end(session.user, session.home, id, "endSession", &visit.id).await?;
    }
    Ok(visit.redirect(&format!("{ACCOUNT}?ended=1")))
}
