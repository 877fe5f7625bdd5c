//! `/login/code`: the second factor, by an authenticator app or a recovery code.

use axum::http::StatusCode;
use axum::response::Response;

use super::return_to;
use super::views::LoginCodePage;
use super::visit::Visit;
use crate::error::Error;
use crate::http::paths::{ACCOUNT_TOTP, LOGIN};
use crate::sessions::Session;
use crate::users::SecondFactorOutcome;

const REFUSED: &str = "This code is not right, was used before, or there were too many attempts. \
    Wait for the next code of your app and try again.";

/// Digits of a code of an authenticator app; a recovery code is longer.
const TOTP_DIGITS: usize = 6;

/// Shows the form.
pub async fn show(visit: Visit) -> Response {
    let return_to = return_to::or_default(visit.query.get("return_to"));
    let answer = open(&visit, &return_to).await;
    visit.answer(answer)
}

async fn open(visit: &Visit, return_to: &str) -> Result<Response, Error> {
    match pending(visit, return_to) {
        Ok(session) => page(visit, session, StatusCode::OK, return_to, None).await,
        Err(elsewhere) => Ok(elsewhere),
    }
}

/// Checks the code and completes the sign-in.
pub async fn submit(visit: Visit) -> Response {
    let return_to = return_to::or_default(visit.form.get("return_to"));
    let answer = complete(&visit, &return_to).await;
    visit.answer(answer)
}

async fn complete(visit: &Visit, return_to: &str) -> Result<Response, Error> {
    let session = match pending(visit, return_to) {
        Ok(session) => session,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let code: String = visit.form.text("code").chars().filter(|c| !c.is_whitespace()).collect();
    let users = &visit.state.users;
    let origin = visit.origin();
    let is_totp = code.len() == TOTP_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    let outcome = if is_totp {
        users.verify_totp(session.user, &code, &origin).await?
    } else {
        users.verify_recovery_code(session.user, &code, &origin).await?
    };
    if outcome != SecondFactorOutcome::Accepted {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return page(visit, session, status, return_to, Some(REFUSED)).await;
    }
    // A recovery code is a one-time password too (RFC 8176).
    let cookie = visit.state.sessions.complete(session, "otp", &origin).await?;
    Ok(visit.redirect_with(return_to, &cookie))
}

/// The session whose second factor is outstanding, or the way elsewhere: to the sign-in without a
/// session, on with a complete one, to the set-up for a new person.
fn pending<'a>(visit: &'a Visit, return_to: &str) -> Result<&'a Session, Response> {
    match &visit.session {
        None => Err(visit.redirect(&return_to::carried_by(LOGIN, return_to))),
        Some(session) if session.is_active() => Err(visit.redirect(return_to)),
        Some(session) if session.may_enrol => {
            Err(visit.redirect(&return_to::carried_by(ACCOUNT_TOTP, return_to)))
        }
        Some(session) => Ok(session),
    }
}

async fn page(
    visit: &Visit,
    session: &Session,
    status: StatusCode,
    return_to: &str,
    error: Option<&'static str>,
) -> Result<Response, Error> {
    let factors = visit.state.users.has_second_factor(session.user).await?;
    if !factors.any() {
        let text = "Your account has no second factor any more. Ask your administrator for a new \
            link to set one up.";
        let heading = "A second factor is missing";
        return Ok(visit.message(StatusCode::FORBIDDEN, heading, text));
    }
    let page = LoginCodePage {
        page: visit.frame(),
        return_to: return_to.to_owned(),
        has_totp: factors.totp,
        has_passkeys: factors.passkeys > 0 && visit.state.passkeys.are_available(),
        error,
    };
    Ok(visit.page(status, &page))
}
