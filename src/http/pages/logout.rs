//! `/logout`: the end of this browser's session.

use axum::http::StatusCode;
use axum::response::Response;

use super::views::LogoutPage;
use super::visit::Visit;
use crate::error::Error;
use crate::http::paths::LOGIN;

/// Shows the button.
pub async fn show(visit: Visit) -> Response {
    if visit.session.is_none() {
        return visit.redirect_without_session(LOGIN);
    }
    visit.page(StatusCode::OK, &LogoutPage { page: visit.frame() })
}

/// Ends the session.
pub async fn submit(visit: Visit) -> Response {
    let answer = end(&visit).await;
    visit.answer(answer)
}

async fn end(visit: &Visit) -> Result<Response, Error> {
    if let Some(session) = &visit.session {
        let sessions = &visit.state.sessions;
        sessions.end(session.user, session.home, session.id, "signOut", &visit.id).await?;
    }
    Ok(visit.redirect_without_session(LOGIN))
}
