//! `/device`: a person approves or denies a program.

use axum::http::StatusCode;
use axum::response::Response;

use super::views::{DeviceConfirmPage, DevicePage, MessagePage};
use super::visit::Visit;
use crate::auth::SubjectId;
use crate::device_authorization::{Approver, Pending, UserCode};
use crate::error::Error;
use crate::http::paths::ACCOUNT;
use crate::roles::{Permission, Permissions};
use crate::sessions::Session;

const UNKNOWN: &str = "This code is not right or has ended. Check it, or start the program again \
    for a new one.";

/// The same for a tenant that does not exist and one that is closed to the person.
const CLOSED: &str = "This code asks for a tenant or for permissions that are not open to you. \
    Nothing was approved.";

/// A session that enters so many wrong codes enters no further ones: nobody mistypes that often.
const WRONG_CODES_MAX: i64 = 20;

/// Shows the form for a code, or who asks for what.
pub async fn show(visit: Visit) -> Response {
    let session = match visit.signed_in() {
        Ok(session) => session,
        Err(elsewhere) => return elsewhere,
    };
    let Some(entered) = visit.query.get("user_code") else {
        return entry(&visit, StatusCode::OK, String::new(), None);
    };
    let answer = confirm(&visit, session, entered).await;
    visit.answer(answer)
}

async fn confirm(visit: &Visit, session: &Session, entered: &str) -> Result<Response, Error> {
    let Some((code, pending)) = find(visit, session, entered).await? else {
        return Ok(unknown(visit, entered));
    };
    if !is_open(visit, session, &pending).await? {
        return Ok(visit.message(StatusCode::FORBIDDEN, "Connect a device", CLOSED));
    }
    let tenant = pending.tenant.unwrap_or(session.home);
    let tenants = &visit.state.tenants;
    let scopes = Permissions::requested(&pending.scope).unwrap_or(Permissions::NONE);
    let page = DeviceConfirmPage {
        page: visit.frame(),
        user_code: code.expose(),
        program: pending.program,
        address: pending.address,
        user_agent: pending.user_agent,
        tenant: tenants.name_of(tenant).await?.unwrap_or_default(),
        is_tenant_only: pending.tenant.is_some(),
        permissions: sentences(scopes),
        requested_at: pending.created_at.to_string(),
        expires_at: pending.expires_at.to_string(),
    };
    Ok(visit.page(StatusCode::OK, &page))
}

/// Approves or denies.
pub async fn submit(visit: Visit) -> Response {
    let session = match visit.signed_in() {
        Ok(session) => session,
        Err(elsewhere) => return elsewhere,
    };
    let answer = decide(&visit, session).await;
    visit.answer(answer)
}

async fn decide(visit: &Visit, session: &Session) -> Result<Response, Error> {
    let entered = visit.form.text("user_code");
    let Some((_, pending)) = find(visit, session, entered).await? else {
        return Ok(unknown(visit, entered));
    };
    let approver = Approver {
        user: session.user,
        home: session.home,
        generation: session.generation,
        authentication: session.authentication.clone(),
    };
    let devices = &visit.state.devices;
    if visit.form.text("action") != "approve" {
        // No check of permissions: a denial only ends the request.
        let denied = devices.deny(pending.id, &approver, &visit.id).await?;
        let text = "The program gets no access. You can close this page.";
        return Ok(result(visit, denied, "Request denied", text));
    }
    if !is_open(visit, session, &pending).await? {
        return Ok(visit.message(StatusCode::FORBIDDEN, "Connect a device", CLOSED));
    }
    let approved = devices.approve(pending.id, &approver, &visit.id).await?;
    let text = "The program continues by itself. You can close this page.";
    Ok(result(visit, approved, "Device connected", text))
}

fn result(visit: &Visit, is_done: bool, heading: &'static str, text: &str) -> Response {
    if !is_done {
        // Decided in another window, or ended a moment ago.
        return entry(visit, StatusCode::UNPROCESSABLE_ENTITY, String::new(), Some(UNKNOWN));
    }
    let page = MessagePage {
        page: visit.frame(),
        heading,
        text: text.to_owned(),
        is_success: true,
        link: Some((format!("{}{ACCOUNT}", visit.state.pages.base), "Your account")),
    };
    visit.page(StatusCode::OK, &page)
}

/// The request of an entered code; `None` for a wrong code, and for any after too many wrong ones.
/// Wrong codes are counted by network and by session.
async fn find(
    visit: &Visit,
    session: &Session,
    entered: &str,
) -> Result<Option<(UserCode, Pending)>, Error> {
    let state = &visit.state;
    let now = state.authorizer.monotonic();
    let person = session.user.to_string();
    let address = visit.visitor.address;
    if session.wrong_codes >= WRONG_CODES_MAX
        || state.device.wrong_codes.blocked(&person, address, now).is_some()
    {
        return Ok(None);
    }
    let code = UserCode::parse(entered);
    let pending = match &code {
        Some(code) => state.devices.pending(code).await?,
        None => None,
    };
    if let Some(found) = code.zip(pending) {
        return Ok(Some(found));
    }
    state.device.wrong_codes.failed(&person, address, now);
    state.sessions.count_wrong_code(session.id).await?;
    Ok(None)
}

/// Refuses a code in the same words whatever the reason, so that it does not tell whether a guess
/// was right.
fn unknown(visit: &Visit, entered: &str) -> Response {
    entry(visit, StatusCode::UNPROCESSABLE_ENTITY, entered.to_owned(), Some(UNKNOWN))
}

/// Whether the person has a role in the tenant that is asked for, and it covers the scope.
async fn is_open(visit: &Visit, session: &Session, pending: &Pending) -> Result<bool, Error> {
    let authorizer = &visit.state.authorizer;
    let subject = SubjectId::User(session.user);
    let held = authorizer.grantable(subject, pending.tenant).await?;
    let Some(held) = held else { return Ok(false) };
    let Some(wanted) = Permissions::requested(&pending.scope) else { return Ok(false) };
    Ok(wanted == Permissions::ALL || held.covers(wanted))
}

/// The permissions of the scope, in words; empty for everything that the person may do.
fn sentences(scope: Permissions) -> Vec<&'static str> {
    if scope == Permissions::ALL {
        return Vec::new();
    }
    let permitted = Permission::ALL.into_iter().filter(|permission| scope.contains(*permission));
    permitted.map(Permission::sentence).collect()
}

fn entry(
    visit: &Visit,
    status: StatusCode,
    user_code: String,
    error: Option<&'static str>,
) -> Response {
    visit.page(status, &DevicePage { page: visit.frame(), user_code, error })
}
