//! `/invite/{token}`: a new password, by a one-time link.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::views::InvitePage;
use super::visit::{RetryAfter, Visit};
use crate::error::{Error, ErrorCode};
use crate::http::paths::{ACCOUNT, ACCOUNT_TOTP, INVITE, LOGIN_CODE};
use crate::sessions::{NewSession, SessionState};
use crate::tokens::Authentication;
use crate::users::{HASHING_WAIT_MAX, Invitation, Purpose};

/// Shows the form.
pub async fn show(Path(token): Path<String>, visit: Visit) -> Response {
    let answer = open(&visit, &token).await;
    visit.answer(answer)
}

async fn open(visit: &Visit, token: &str) -> Result<Response, Error> {
    match visit.state.users.invitation(token).await? {
        Some(invitation) => Ok(page(visit, token, &invitation, StatusCode::OK, None)),
        None => Ok(used_up(visit)),
    }
}

/// Sets the password and leads on to the second factor.
pub async fn submit(Path(token): Path<String>, visit: Visit) -> Response {
    let answer = accept(&visit, &token).await;
    visit.answer(answer)
}

async fn accept(visit: &Visit, token: &str) -> Result<Response, Error> {
    let users = &visit.state.users;
    let origin = visit.origin();
    let accepted = users.accept_invitation(token, visit.form.text("password"), &origin).await;
    let user = match accepted {
        Ok(user) => user,
        Err(error) => return not_accepted(visit, token, error).await,
    };
    let has_factor = user.factors.any();
    let new = NewSession {
        user: user.id(),
        generation: user.row.token_generation,
        authentication: Authentication {
            auth_time: visit.state.sessions.now(),
            methods: vec!["pwd".to_owned()],
        },
        state: SessionState::Mfa,
        // A link that only renews the password must not replace the second factor too.
        may_enrol: !has_factor,
        visitor: visit.visitor.clone(),
    };
    let cookie = visit.begin_session(&new).await?;
    let next = if has_factor { LOGIN_CODE } else { ACCOUNT_TOTP };
    Ok(visit.redirect_with(&super::return_to::carried_by(next, ACCOUNT), &cookie))
}

/// The form again, with the reason, if the link is still open.
async fn not_accepted(visit: &Visit, token: &str, error: Error) -> Result<Response, Error> {
    let (status, why) = match error.code() {
        ErrorCode::BadUserInput => (StatusCode::UNPROCESSABLE_ENTITY, error.message().to_owned()),
        ErrorCode::RateLimited => {
            let why = "Too many people set a password just now. Try again.".to_owned();
            (StatusCode::TOO_MANY_REQUESTS, why)
        }
        // The link is not open, or somebody was faster with it.
        ErrorCode::NotFound => return Ok(used_up(visit)),
        _ => return Err(error),
    };
    let Some(invitation) = visit.state.users.invitation(token).await? else {
        return Ok(used_up(visit));
    };
    let page = page(visit, token, &invitation, status, Some(why));
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Ok(RetryAfter(HASHING_WAIT_MAX.as_secs()).on(page));
    }
    Ok(page)
}

fn page(
    visit: &Visit,
    token: &str,
    invitation: &Invitation,
    status: StatusCode,
    error: Option<String>,
) -> Response {
    let page = InvitePage {
        page: visit.frame(),
        action: format!("{}{INVITE}/{token}", visit.state.pages.base),
        email: invitation.user.row.email.clone(),
        tenant: invitation.tenant_name.clone(),
        is_first: invitation.purpose == Purpose::Invitation,
        error,
    };
    visit.page(status, &page)
}

/// One page for links that were used, have ended or never were.
fn used_up(visit: &Visit) -> Response {
    let text = "It was used already or has ended. Ask your administrator for a new one.";
    visit.message(StatusCode::NOT_FOUND, "This link is not valid", text)
}
