//! `/login`: the first factor.

use axum::http::StatusCode;
use axum::response::Response;

use super::return_to;
use super::views::LoginPage;
use super::visit::Visit;
use crate::error::Error;
use crate::http::paths::LOGIN_CODE;
use crate::sessions::{NewSession, SessionState};
use crate::tokens::Authentication;
use crate::users::PasswordOutcome;

/// One text for every refusal, so that it does not tell which addresses have an account.
pub const REFUSED: &str = "This e-mail address and password do not match, or there were too many \
    attempts. Check both and try again; wait a while if it keeps failing.";

/// Shows the form.
pub async fn show(visit: Visit) -> Response {
    let return_to = visit.query.get("return_to").and_then(return_to::checked);
    // A session from a while ago may sign in anew, for pages that ask for it.
    let now = visit.state.sessions.now();
    if visit.session.as_ref().is_some_and(|session| session.is_recent(now)) {
        return visit.redirect(return_to.as_deref().unwrap_or(return_to::DEFAULT));
    }
    page(&visit, StatusCode::OK, String::new(), return_to.unwrap_or_default(), None)
}

/// Checks the password and begins a session that waits for the second factor.
pub async fn submit(visit: Visit) -> Response {
    let answer = sign_in(&visit).await;
    visit.answer(answer)
}

async fn sign_in(visit: &Visit) -> Result<Response, Error> {
    let email = visit.form.text("email");
    let password = visit.form.text("password");
    let return_to = return_to::or_default(visit.form.get("return_to"));
    let origin = visit.origin();
    let outcome = visit.state.users.verify_password(email, password, &origin).await?;
    let PasswordOutcome::Accepted(user) = outcome else {
        let email = email.to_owned();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(page(visit, status, email, return_to, Some(REFUSED)));
    };
    let new = NewSession {
        user: user.id(),
        generation: user.row.token_generation,
        authentication: Authentication {
            auth_time: visit.state.sessions.now(),
            methods: vec!["pwd".to_owned()],
        },
        state: SessionState::Mfa,
        may_enrol: false,
        visitor: visit.visitor.clone(),
    };
    let cookie = visit.begin_session(&new).await?;
    Ok(visit.redirect_with(&return_to::carried_by(LOGIN_CODE, &return_to), &cookie))
}

fn page(
    visit: &Visit,
    status: StatusCode,
    email: String,
    return_to: String,
    error: Option<&'static str>,
) -> Response {
    visit.page(status, &LoginPage { page: visit.frame(), email, return_to, error })
}
