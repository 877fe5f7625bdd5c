//! `/account/totp`: a new authenticator app, and the recovery codes that come with it.

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::return_to;
use super::views::{RecoveryCodesPage, TotpPage};
use super::visit::{Visit, with_session};
use crate::error::{Error, ErrorCode};
use crate::http::paths::{ACCOUNT_TOTP, LOGIN};
use crate::sessions::Session;

const REFUSED: &str = "This code is not right, or there were too many attempts. Check that the \
    clock of your device is right, and enter the next code that the app shows.";

/// Shows a new key. Loading the page again shows the same key.
pub async fn show(visit: Visit) -> Response {
    let return_to = return_to::or_default(visit.query.get("return_to"));
    let answer = open(&visit, &return_to, StatusCode::OK, None).await;
    visit.answer(answer)
}

async fn open(
    visit: &Visit,
    return_to: &str,
    status: StatusCode,
    error: Option<&'static str>,
) -> Result<Response, Error> {
    let session = match permitted(visit) {
        Ok(session) => session,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let enrolment = visit.state.users.begin_totp(session.user, session.id).await?;
    let page = TotpPage {
        page: visit.frame(),
        return_to: return_to.to_owned(),
        key: in_groups(&enrolment.key),
        uri: enrolment.uri,
        qr: format!("data:image/svg+xml;base64,{}", STANDARD.encode(enrolment.qr_svg)),
        is_first: session.may_enrol,
        error,
    };
    Ok(visit.page(status, &page))
}

/// Checks the first code of the app, and shows the recovery codes.
pub async fn submit(visit: Visit) -> Response {
    let return_to = return_to::or_default(visit.form.get("return_to"));
    let answer = confirm(&visit, &return_to).await;
    visit.answer(answer)
}

async fn confirm(visit: &Visit, return_to: &str) -> Result<Response, Error> {
    let session = match permitted(visit) {
        Ok(session) => session,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let code: String = visit.form.text("code").chars().filter(|c| !c.is_whitespace()).collect();
    let person = (session.user, session.generation);
    let confirmed = visit.state.users.confirm_totp(person, &code, &visit.origin()).await;
    let codes = match confirmed {
        Ok(codes) => codes,
        Err(error) if matches!(error.code(), ErrorCode::BadUserInput | ErrorCode::RateLimited) => {
            return open(visit, return_to, StatusCode::UNPROCESSABLE_ENTITY, Some(REFUSED)).await;
        }
        Err(error) => return Err(error),
    };
    let page = RecoveryCodesPage {
        page: visit.frame(),
        codes: codes.expose().to_vec(),
        next: format!("{}{return_to}", visit.state.pages.base),
    };
    // No redirect after the form: the recovery codes can be shown only in this response.
    let response = visit.page(StatusCode::OK, &page);
    if session.is_active() {
        return Ok(response);
    }
    let cookie = visit.state.sessions.complete(session, "otp", &visit.origin()).await?;
    Ok(with_session(response, &cookie))
}

/// The session that may set up a factor: one that has come by a one-time link, or has shown both
/// factors just now. Others sign in anew.
fn permitted(visit: &Visit) -> Result<&Session, Response> {
    let now = visit.state.sessions.now();
    match &visit.session {
        Some(session) if session.may_set_up_factor(now) => Ok(session),
        Some(session) if session.is_active() => {
            Err(visit.redirect(&return_to::carried_by(LOGIN, ACCOUNT_TOTP)))
        }
        _ => Err(visit.signed_in().err().unwrap_or_else(|| visit.redirect(LOGIN))),
    }
}

/// A key in groups of four, as people copy it.
fn in_groups(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}
