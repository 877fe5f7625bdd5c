//! `/login/sso`: sign-in at the identity provider of a person's tenant.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::return_to;
use super::views::{LeavePage, MessagePage};
use super::visit::{RetryAfter, Visit};
use crate::error::Error;
use crate::http::paths::LOGIN;
use crate::ids::IdentityProviderId;
use crate::sessions::{NewSession, SessionState};
use crate::single_sign_on::{Callback, Departure, Provider, SignInFailure, SignedIn};
use crate::tokens::Authentication;

/// The same for a domain that nobody has named and for one that several have.
const NO_PROVIDER: &str = "No identity provider can be told from this e-mail address. Open the \
    sign-in link of your organisation, or sign in with your password.";

const TOO_MANY: &str =
    "Too many sign-ins were begun from your network. Wait a minute and try again.";

const EXPIRED: &str = "The sign-in took too long, was finished already, or began in another \
    browser. Start again.";

const UNAVAILABLE: &str = "The identity provider of your organisation cannot be used at the \
    moment. Try again later. An account for emergencies can sign in with its password.";

const DECLINED: &str = "The identity provider of your organisation did not sign you in.";

const REFUSED: &str = "The identity provider's answer does not lead to an account that you may \
    use. Ask an administrator of your organisation.";

/// Sends a person on by the sign-in link of their organisation.
pub async fn by_link(visit: Visit) -> Response {
    let answer = open_link(&visit).await;
    visit.answer(answer)
}

async fn open_link(visit: &Visit) -> Result<Response, Error> {
    let id = visit.query.get("provider").and_then(|id| id.parse().ok());
    let provider = match id {
        Some(id) => visit.state.single_sign_on.of_link(id).await?,
        None => None,
    };
    let Some(provider) = provider else {
        let text = "This sign-in link is not valid. Ask an administrator of your organisation.";
        return Ok(problem(visit, StatusCode::NOT_FOUND, text));
    };
    if let Err(retry_after) = visit.may_begin_sign_in() {
        return Ok(too_many(visit, retry_after));
    }
    let return_to = visit.query.get("return_to").and_then(return_to::checked);
    match depart(visit, &provider, return_to, None).await {
        Ok(url) if visit.is_own_navigation => Ok(visit.leave(&url)),
        // Another site must not sign the browser in where it likes.
        Ok(url) => Ok(leave_page(visit, url, false)),
        Err(failure) => Ok(failed(visit, failure)),
    }
}

/// Sends a person on by the domain of the e-mail address that they entered.
pub async fn by_email(visit: Visit) -> Response {
    let answer = open_email(&visit).await;
    visit.answer(answer)
}

async fn open_email(visit: &Visit) -> Result<Response, Error> {
    let email = visit.form.text("email");
    let provider = visit.state.single_sign_on.provider_for_email(email).await?;
    let Some(provider) = provider else {
        return Ok(problem(visit, StatusCode::UNPROCESSABLE_ENTITY, NO_PROVIDER));
    };
    if let Err(retry_after) = visit.may_begin_sign_in() {
        return Ok(too_many(visit, retry_after));
    }
    let return_to = visit.form.get("return_to").and_then(return_to::checked);
    let url = match depart(visit, &provider, return_to, Some(email)).await {
        Ok(url) => url,
        Err(failure) => return Ok(failed(visit, failure)),
    };
    Ok(leave_page(visit, url, true))
}

/// The page that leads to a provider, by itself or after a click.
fn leave_page(visit: &Visit, url: String, by_itself: bool) -> Response {
    let host = url::Url::parse(&url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    visit.page(StatusCode::OK, &LeavePage { page: visit.frame(), url, host, by_itself })
}

async fn depart(
    visit: &Visit,
    provider: &Provider,
    return_to: Option<String>,
    login_hint: Option<&str>,
) -> Result<String, SignInFailure> {
    let from =
        Departure { base: &visit.state.pages.url, browser: visit.browser(), return_to, login_hint };
    visit.state.single_sign_on.begin(provider, &from, &visit.id).await
}

/// Takes a person back from a provider that names itself.
pub async fn callback(visit: Visit) -> Response {
    finish(&visit, None).await
}

/// Takes a person back at the redirect URI of one provider.
pub async fn callback_of(Path(provider): Path<String>, visit: Visit) -> Response {
    match provider.parse() {
        Ok(provider) => finish(&visit, Some(provider)).await,
        Err(_) => problem(&visit, StatusCode::NOT_FOUND, EXPIRED),
    }
}

async fn finish(visit: &Visit, provider: Option<IdentityProviderId>) -> Response {
    let text = |name| visit.query.get(name).map(str::to_owned);
    let callback = Callback {
        provider,
        state: text("state").unwrap_or_default(),
        code: text("code"),
        issuer: text("iss"),
        has_error: visit.query.get("error").is_some(),
    };
    let signed_in = visit.state.single_sign_on.complete(callback, visit.browser(), &visit.id).await;
    match signed_in {
        Ok(signed_in) => {
            let answer = begin_session(visit, signed_in).await;
            visit.answer(answer)
        }
        Err(failure) => failed(visit, failure),
    }
}

/// The session is complete: second factors are the provider's.
async fn begin_session(visit: &Visit, signed_in: SignedIn) -> Result<Response, Error> {
    let SignedIn { user, generation, methods, auth_time, return_to } = signed_in;
    let new = NewSession {
        user,
        generation,
        authentication: Authentication { auth_time, methods },
        state: SessionState::Active,
        may_enrol: false,
        visitor: visit.visitor.clone(),
    };
    let cookie = visit.begin_session(&new).await?;
    let return_to = return_to.as_deref().and_then(return_to::checked);
    Ok(visit.redirect_with(return_to.as_deref().unwrap_or(return_to::DEFAULT), &cookie))
}

fn failed(visit: &Visit, failure: SignInFailure) -> Response {
    match failure {
        SignInFailure::Expired => problem(visit, StatusCode::BAD_REQUEST, EXPIRED),
        SignInFailure::Unavailable(fault) => {
            tracing::warn!(fault = %fault, "identity provider cannot be used");
            problem(visit, StatusCode::BAD_GATEWAY, UNAVAILABLE)
        }
        SignInFailure::Declined => problem(visit, StatusCode::FORBIDDEN, DECLINED),
        SignInFailure::Refused(_) => problem(visit, StatusCode::FORBIDDEN, REFUSED),
        SignInFailure::Internal(error) => visit.failed(&error),
    }
}

fn too_many(visit: &Visit, retry_after: RetryAfter) -> Response {
    retry_after.on(problem(visit, StatusCode::TOO_MANY_REQUESTS, TOO_MANY))
}

/// A page that says what went wrong, with the way back to the form.
fn problem(visit: &Visit, status: StatusCode, text: &str) -> Response {
    let page = MessagePage {
        page: visit.frame(),
        heading: "You are not signed in",
        text: text.to_owned(),
        is_success: false,
        link: Some((format!("{}{LOGIN}", visit.state.pages.base), "Back to the sign-in")),
    };
    visit.page(status, &page)
}
