//! The paths that are served.

/// The GraphQL endpoint.
pub const GRAPHQL: &str = "/graphql";
/// The GraphQL endpoint where clients of the Taegis XDR API look for it.
pub const PUBLIC_QUERY: &str = "/public/query";

/// The playground.
pub const PLAYGROUND: &str = "/playground";
/// Takes the one-time code from the browser that the demo opens.
pub const PLAYGROUND_SIGN_IN: &str = "/playground/sign-in";

/// The token endpoint (RFC 6749, section 3.2).
pub const TOKEN: &str = "/oauth2/token";
/// The token endpoint where clients of the Taegis XDR API look for it.
pub const TAEGIS_TOKEN: &str = "/auth/api/v2/auth/token";
/// The introspection endpoint (RFC 7662).
pub const INTROSPECT: &str = "/oauth2/introspect";
/// The revocation endpoint (RFC 7009).
pub const REVOKE: &str = "/oauth2/revoke";
/// The public keys that verify tokens (RFC 7517, section 5).
pub const JWKS: &str = "/.well-known/jwks.json";
/// The metadata of the authorization server (RFC 8414, section 3).
pub const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";
/// The same metadata where clients of OpenID Connect look for it.
pub const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";

/// Liveness; `/healthz` is the same.
pub const LIVE: &str = "/health/live";
/// The usual short path of liveness.
pub const HEALTHZ: &str = "/healthz";
/// Readiness; `/readyz` is the same.
pub const READY: &str = "/health/ready";
/// The usual short path of readiness.
pub const READYZ: &str = "/readyz";

/// Reloads the settings, on the admin listener alone.
pub const RELOAD: &str = "/reload";

/// The figures for Prometheus, on the admin listener alone.
pub const METRICS: &str = "/metrics";

/// The device authorization endpoint (RFC 8628, section 3.1).
pub const DEVICE_AUTHORIZATION: &str = "/oauth2/device_authorization";
/// Issues device codes to the Taegis SDK.
pub const TAEGIS_DEVICE_CODE: &str = "/universal-auth/device/code/auth";
/// Issues the token of a device code to the Taegis SDK, which waits for it.
pub const TAEGIS_DEVICE_TOKEN: &str = "/universal-auth/device/code/token";

/// The page to sign in.
pub const LOGIN: &str = "/login";
/// The page for the second factor.
pub const LOGIN_CODE: &str = "/login/code";
/// Sign-in at the identity provider of a person's tenant.
pub const LOGIN_SSO: &str = "/login/sso";
/// Sign-in with a passkey.
pub const LOGIN_PASSKEY: &str = "/login/passkey";
/// The options for it.
pub const LOGIN_PASSKEY_OPTIONS: &str = "/login/passkey/options";
/// The page to sign out.
pub const LOGOUT: &str = "/logout";
/// The pages behind one-time links.
pub const INVITE: &str = "/invite";
/// The page of one's own account.
pub const ACCOUNT: &str = "/account";
/// Ends sessions of one's own.
pub const ACCOUNT_SESSIONS: &str = "/account/sessions";
/// The page to set up an authenticator app.
pub const ACCOUNT_TOTP: &str = "/account/totp";
/// The page of one's own passkeys.
pub const ACCOUNT_PASSKEYS: &str = "/account/passkeys";
/// The options for a new passkey.
pub const ACCOUNT_PASSKEYS_OPTIONS: &str = "/account/passkeys/options";
/// Registers a new passkey.
pub const ACCOUNT_PASSKEYS_REGISTER: &str = "/account/passkeys/register";
/// The page to enter, approve or deny the code of a program.
pub const DEVICE: &str = "/device";
/// Describes the browser session to scripts of the gateway's own pages.
pub const SESSION: &str = "/session";
/// The files of the pages.
pub const ASSETS: &str = "/assets";
