//! The pages for people: sign-in, account, and the approval of programs. They are rendered here,
//! work without script, and load nothing from other sites.
//!
//! Every request passes [`Visit`]: a form is read only where it comes from a page of the gateway
//! and carries the token against forged requests. So no page can forget that.
#![allow(clippy::result_large_err, reason = "an error is the response itself, on its way out")]

mod account;
mod device;
mod files;
mod form;
mod invite;
mod json_visit;
mod login;
mod login_code;
mod logout;
mod passkeys;
mod return_to;
mod session_json;
mod sso;
mod totp;
mod views;
mod visit;
mod wording;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use super::paths;
use super::state::AppState;
use crate::single_sign_on::CALLBACK_PATH;

/// The paths of the pages.
pub fn routes() -> Router<Arc<AppState>> {
    Router::new()
        .route(paths::LOGIN, get(login::show).post(login::submit))
        .route(paths::LOGIN_CODE, get(login_code::show).post(login_code::submit))
        .route(paths::LOGIN_SSO, get(sso::by_link).post(sso::by_email))
        .route(CALLBACK_PATH, get(sso::callback))
        .route(&below(CALLBACK_PATH, "provider"), get(sso::callback_of))
        .route(paths::LOGIN_PASSKEY, post(passkeys::sign_in))
        .route(paths::LOGIN_PASSKEY_OPTIONS, post(passkeys::sign_in_options))
        .route(paths::ACCOUNT_PASSKEYS, get(passkeys::show).post(passkeys::submit))
        .route(paths::ACCOUNT_PASSKEYS_OPTIONS, post(passkeys::registration_options))
        .route(paths::ACCOUNT_PASSKEYS_REGISTER, post(passkeys::register))
        .route(paths::LOGOUT, get(logout::show).post(logout::submit))
        .route(&below(paths::INVITE, "token"), get(invite::show).post(invite::submit))
        .route(paths::ACCOUNT, get(account::show))
        .route(paths::ACCOUNT_SESSIONS, get(account::to_account).post(account::end_sessions))
        .route(paths::ACCOUNT_TOTP, get(totp::show).post(totp::submit))
        .route(paths::DEVICE, get(device::show).post(device::submit))
        .route(paths::SESSION, get(session_json::show))
        .route(&below(paths::ASSETS, "name"), get(files::show))
}

fn below(path: &str, name: &str) -> String {
    format!("{path}/{{{name}}}")
}
