//! `/login/passkey` and `/account/passkeys`: passkeys as a second factor and as a sign-in of their
//! own. The ceremonies are JSON that the pages' script exchanges; looking after passkeys works
//! without script.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::json_visit::{JsonVisit, refused};
use super::return_to;
use super::views::{PasskeyRow, PasskeysPage};
use super::visit::{Visit, with_session};
use crate::error::{Error, ErrorCode};
use crate::http::json_reply::{JSON, json_response};
use crate::http::paths::{ACCOUNT_PASSKEYS, LOGIN};
use crate::ids::{CeremonyId, PasskeyId};
use crate::passkeys::{Authenticated, Begun, Passkey, Registrant};
use crate::secret::PlainSecret;
use crate::sessions::{NewSession, Session, SessionState};
use crate::tokens::Authentication;

/// The method of a passkey in `amr` (RFC 8176): proof of possession of a key.
const METHOD: &str = "hwk";

/// Why no ceremony begins.
const TOO_MANY: &str =
    "too many sign-ins were begun from your network: wait a minute and try again";

/// Why a passkey is not changed now.
const AGAIN: &str = "sign in again to change your passkeys";

/// Begins a sign-in: as the person whose second factor is outstanding, else as the owner of the
/// passkey.
pub async fn sign_in_options(call: JsonVisit) -> Response {
    if let Err(retry_after) = call.visit.may_begin_sign_in() {
        let refusal = refused(StatusCode::TOO_MANY_REQUESTS, TOO_MANY);
        return call.visit.guard(retry_after.on(refusal));
    }
    let passkeys = &call.visit.state.passkeys;
    let browser = call.visit.browser();
    let begun = match pending(&call.visit) {
        Some(session) => passkeys.begin_second_factor(session.user, browser).await,
        None => passkeys.begin_sign_in(browser).await,
    };
    answer(&call.visit, begun.map(|begun| options(&call.visit, &begun)))
}

/// Finishes a sign-in.
pub async fn sign_in(call: JsonVisit) -> Response {
    let signed_in = finish_sign_in(&call).await;
    answer(&call.visit, signed_in)
}

async fn finish_sign_in(call: &JsonVisit) -> Result<Response, Error> {
    let JsonVisit { visit, body } = call;
    let ceremony = ceremony(body)?;
    let credential = body["credential"].clone();
    let passkeys = &visit.state.passkeys;
    let browser = visit.browser();
    let cookie = match pending(visit) {
        Some(session) => {
            passkeys
                .finish_second_factor(session.user, browser, ceremony, credential, &visit.id)
                .await?;
            visit.state.sessions.complete(session, METHOD, &visit.origin()).await?
        }
        None => {
            let proved = passkeys.finish_sign_in(browser, ceremony, credential, &visit.id).await?;
            begin_session(visit, proved).await?
        }
    };
    Ok(signed_in(visit, body, &cookie))
}

/// A passkey with user verification is both factors.
async fn begin_session(visit: &Visit, proved: Authenticated) -> Result<PlainSecret, Error> {
    let methods = [METHOD, "mfa"].map(str::to_owned).to_vec();
    let new = NewSession {
        user: proved.user,
        generation: proved.generation,
        authentication: Authentication { auth_time: visit.state.sessions.now(), methods },
        state: SessionState::Active,
        may_enrol: false,
        visitor: visit.visitor.clone(),
    };
    visit.begin_session(&new).await
}

/// The session whose second factor is outstanding.
fn pending(visit: &Visit) -> Option<&Session> {
    visit.session.as_ref().filter(|session| !session.is_active() && !session.may_enrol)
}

/// Begins the registration of a passkey.
pub async fn registration_options(call: JsonVisit) -> Response {
    let session = match permitted(&call.visit) {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    let browser = call.visit.browser();
    let begun = call.visit.state.passkeys.begin_registration(session.user, browser).await;
    answer(&call.visit, begun.map(|begun| options(&call.visit, &begun)))
}

/// Finishes the registration of a passkey. A first one completes the sign-in of a new person.
pub async fn register(call: JsonVisit) -> Response {
    let session = match permitted(&call.visit) {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    let registered = finish_registration(&call, session).await;
    answer(&call.visit, registered)
}

async fn finish_registration(call: &JsonVisit, session: &Session) -> Result<Response, Error> {
    let JsonVisit { visit, body } = call;
    let name = body["name"].as_str().filter(|name| !name.trim().is_empty()).unwrap_or("Passkey");
    let credential = body["credential"].clone();
    let ceremony = ceremony(body)?;
    let passkeys = &visit.state.passkeys;
    let registrant = Registrant { user: session.user, generation: session.generation };
    passkeys
        .finish_registration(registrant, visit.browser(), ceremony, credential, name, &visit.id)
        .await?;
    if session.is_active() {
        return Ok(next(visit, ACCOUNT_PASSKEYS));
    }
    let cookie = visit.state.sessions.complete(session, METHOD, &visit.origin()).await?;
    Ok(signed_in(visit, body, &cookie))
}

/// The session that may set up a factor: one that has come by a one-time link, or has shown both
/// factors just now.
fn permitted(visit: &Visit) -> Result<&Session, Response> {
    let now = visit.state.sessions.now();
    let session = visit.session.as_ref().filter(|session| session.may_set_up_factor(now));
    session.ok_or_else(|| visit.guard(refused(StatusCode::FORBIDDEN, AGAIN)))
}

fn ceremony(body: &Value) -> Result<CeremonyId, Error> {
    let id = body["ceremony"].as_str().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Error::bad_input("ceremony", "must be the id of a ceremony"))
}

fn options(visit: &Visit, begun: &Begun) -> Response {
    let body = json!({ "ceremony": begun.ceremony, "options": begun.options });
    visit.guard(json_response(StatusCode::OK, JSON, &body))
}

/// The page to go to.
fn next(visit: &Visit, path: &str) -> Response {
    let body = json!({ "next": format!("{}{path}", visit.state.pages.base) });
    visit.guard(json_response(StatusCode::OK, JSON, &body))
}

fn signed_in(visit: &Visit, body: &Value, cookie: &PlainSecret) -> Response {
    with_session(next(visit, &return_to::or_default(body["returnTo"].as_str())), cookie)
}

/// The answer, or the error as JSON: the page shows errors that the person can correct.
fn answer(visit: &Visit, answer: Result<Response, Error>) -> Response {
    answer.unwrap_or_else(|error| {
        error.log_cause();
        let status = StatusCode::from_u16(error.code().http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        visit.guard(refused(status, error.message()))
    })
}

/// Shows the passkeys of the person, or what a new person needs for the first one.
pub async fn show(visit: Visit) -> Response {
    let answer = open(&visit, StatusCode::OK, None).await;
    visit.answer(answer)
}

async fn open(visit: &Visit, status: StatusCode, error: Option<String>) -> Result<Response, Error> {
    let session = match looking(visit) {
        Ok(session) => session,
        Err(elsewhere) => return Ok(elsewhere),
    };
    let passkeys = visit.state.passkeys.list(session.user).await?;
    let page = PasskeysPage {
        page: visit.frame(),
        passkeys: passkeys.into_iter().map(row).collect(),
        are_available: visit.state.passkeys.are_available(),
        may_change: session.may_set_up_factor(visit.state.sessions.now()),
        is_first: session.may_enrol,
        return_to: return_to::or_default(visit.query.get("return_to")),
        error,
    };
    Ok(visit.page(status, &page))
}

/// Renames or removes a passkey.
pub async fn submit(visit: Visit) -> Response {
    let answer = change(&visit).await;
    visit.answer(answer)
}

async fn change(visit: &Visit) -> Result<Response, Error> {
    let session = match visit.signed_in() {
        Ok(session) => session,
        Err(elsewhere) => return Ok(elsewhere),
    };
    if !session.is_recent(visit.state.sessions.now()) {
        let again = return_to::carried_by(LOGIN, ACCOUNT_PASSKEYS);
        return Ok(visit.redirect_without_session(&again));
    }
    let changed = match visit.form.text("id").parse() {
        Ok(id) => apply(visit, session, id).await,
        Err(_) => Err(Error::not_found("passkey")),
    };
    match changed {
        Ok(()) => Ok(visit.redirect(ACCOUNT_PASSKEYS)),
        Err(error) if is_of_person(error.code()) => {
            let text = error.message().to_owned();
            open(visit, StatusCode::UNPROCESSABLE_ENTITY, Some(text)).await
        }
        Err(error) => Err(error),
    }
}

async fn apply(visit: &Visit, session: &Session, id: PasskeyId) -> Result<(), Error> {
    let passkeys = &visit.state.passkeys;
    match visit.form.text("action") {
        "rename" => passkeys.rename(session.user, id, visit.form.text("name"), &visit.id).await,
        "remove" => passkeys.remove(session.user, id, &visit.id).await,
        _ => Err(Error::bad_input("action", "must be rename or remove")),
    }
}

/// Whether the person can do something about it.
fn is_of_person(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::BadUserInput | ErrorCode::NotFound | ErrorCode::Conflict)
}

/// The session that may see the page: a complete one, or that of a new person.
fn looking(visit: &Visit) -> Result<&Session, Response> {
    match &visit.session {
        Some(session) if session.may_enrol => Ok(session),
        _ => visit.signed_in(),
    }
}

/// A passkey as the pages show it.
pub fn row(passkey: Passkey) -> PasskeyRow {
    PasskeyRow {
        id: passkey.id.to_string(),
        name: passkey.name,
        created_at: passkey.created_at.to_string(),
        last_used_at: passkey.last_used_at.map(|at| at.to_string()),
    }
}
