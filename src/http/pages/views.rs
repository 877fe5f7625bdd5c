//! The pages as data: each struct is the contract of one template in `templates/`.

use askama::Template;

/// The layout that all pages share.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The path of the public URL, put before every path: empty, or such as `/gateway`.
    pub base: String,
    /// The path of the stylesheet.
    pub stylesheet: String,
    /// The path of the script for passkeys. Pages work without it.
    pub script: String,
    /// The value of the hidden field `csrf` of every form.
    pub csrf: String,
    /// The e-mail address of the person who is signed in.
    pub person: Option<String>,
}

/// `/login`: e-mail address and password, or single sign-on.
#[derive(Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The address that was entered before.
    pub email: String,
    /// The page to go to afterwards: a path of the gateway, or empty.
    pub return_to: String,
    /// Why the last attempt failed.
    pub error: Option<&'static str>,
}

/// `/login/code`: the second factor.
#[derive(Template)]
#[template(path = "login_code.html")]
pub struct LoginCodePage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The page to go to afterwards.
    pub return_to: String,
    /// Whether the person has an authenticator app.
    pub has_totp: bool,
    /// Whether the person has a passkey.
    pub has_passkeys: bool,
    /// Why the last attempt failed.
    pub error: Option<&'static str>,
}

/// `/logout`: a button, since a link must not end a session.
#[derive(Template)]
#[template(path = "logout.html")]
pub struct LogoutPage {
    /// The layout that all pages share.
    pub page: Frame,
}

/// `/invite/{token}`: a new password.
#[derive(Template)]
#[template(path = "invite.html")]
pub struct InvitePage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The path that the form is posted to.
    pub action: String,
    /// The address of the person, shown and given to password managers.
    pub email: String,
    /// The name of the tenant that the person belongs to.
    pub tenant: String,
    /// Whether the person is new; else the link renews what they had.
    pub is_first: bool,
    /// Why the last password was not accepted.
    pub error: Option<String>,
}

/// `/account/totp`: a new authenticator app.
#[derive(Template)]
#[template(path = "totp.html")]
pub struct TotpPage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The page to go to afterwards.
    pub return_to: String,
    /// The key, in groups of four letters and digits.
    pub key: String,
    /// The key as an `otpauth://` URI.
    pub uri: String,
    /// The QR code as a `data:` URL of an SVG image.
    pub qr: String,
    /// Whether the person has no second factor yet and could choose a passkey instead.
    pub is_first: bool,
    /// Why the last code was not accepted.
    pub error: Option<&'static str>,
}

/// The recovery codes, shown once.
#[derive(Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodesPage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The codes.
    pub codes: Vec<String>,
    /// The path of the button that goes on.
    pub next: String,
}

/// A session in the list of `/account`.
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// Whether it is the one of this browser.
    pub is_own: bool,
    /// When it began, in RFC 3339.
    pub created_at: String,
    /// When it was last used, in RFC 3339, to the minute.
    pub last_seen_at: String,
    /// The address that it began from.
    pub address: String,
    /// The browser, as it names itself.
    pub user_agent: String,
}

/// A passkey in the list of `/account`.
pub struct PasskeyRow {
    /// Its id.
    pub id: String,
    /// The name that the person gave it.
    pub name: String,
    /// When it was registered, in RFC 3339.
    pub created_at: String,
    /// When it was last used, in RFC 3339.
    pub last_used_at: Option<String>,
}

/// `/account/passkeys`: the person's own passkeys, and a new one.
#[derive(Template)]
#[template(path = "passkeys.html")]
pub struct PasskeysPage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The passkeys.
    pub passkeys: Vec<PasskeyRow>,
    /// Whether browsers offer passkeys at the gateway's URL.
    pub are_available: bool,
    /// Whether the person has signed in just now, so that they may change their factors.
    pub may_change: bool,
    /// Whether the person is new and sets up their first second factor.
    pub is_first: bool,
    /// The page to go to afterwards.
    pub return_to: String,
    /// Why nothing was changed.
    pub error: Option<String>,
}

/// `/account`: the person's own sessions and second factors.
#[derive(Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The person's name.
    pub name: String,
    /// The person's address.
    pub email: String,
    /// The name of the tenant that the person belongs to.
    pub tenant: String,
    /// Whether there is an authenticator app.
    pub has_totp: bool,
    /// The passkeys.
    pub passkeys: Vec<PasskeyRow>,
    /// The live sessions, the last used first.
    pub sessions: Vec<SessionRow>,
    /// The confirmation of the last action.
    pub notice: Option<&'static str>,
}

/// `/device` without a code: enter it.
#[derive(Template)]
#[template(path = "device.html")]
pub struct DevicePage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The code that was entered before.
    pub user_code: String,
    /// Why it was not accepted.
    pub error: Option<&'static str>,
}

/// `/device` with a code: who asks for what; approve or deny.
#[derive(Template)]
#[template(path = "device_confirm.html")]
pub struct DeviceConfirmPage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The code, as the program shows it: `ABCD-EFGH`.
    pub user_code: String,
    /// The name that the program gives itself; nobody has verified it.
    pub program: String,
    /// The network address that it asked from.
    pub address: String,
    /// The program as its HTTP library names it.
    pub user_agent: String,
    /// The tenant that the token is for: the one asked for, or that of the person.
    pub tenant: String,
    /// Whether the token works in that tenant alone.
    pub is_tenant_only: bool,
    /// The permissions asked for, as sentences; empty for all that the person's roles permit.
    pub permissions: Vec<&'static str>,
    /// When the program asked, in RFC 3339.
    pub requested_at: String,
    /// When the code ends, in RFC 3339.
    pub expires_at: String,
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The heading.
    pub heading: &'static str,
    /// The text under it.
    pub text: String,
    /// Whether it reports success rather than a failure.
    pub is_success: bool,
    /// The path and the text of a link that leads on.
    pub link: Option<(String, &'static str)>,
}

/// A page that leaves for another site, by itself or after a click on its link. A redirect
/// would do after a link, but not after a form: the policy of our pages lets forms lead to the
/// gateway alone.
#[derive(Template)]
#[template(path = "leave.html")]
pub struct LeavePage {
    /// The layout that all pages share.
    pub page: Frame,
    /// The URL to go to.
    pub url: String,
    /// Its host, shown.
    pub host: String,
    /// Whether it leaves without a click.
    pub by_itself: bool,
}
