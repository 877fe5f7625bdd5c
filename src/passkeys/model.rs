//! Passkeys, independent of the tables, and the site that they are for.

use std::fmt;

use serde_json::Value;
use url::Url;
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::entity;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::{CeremonyId, PasskeyId, UserId};

/// The name of the site that authenticators show.
const NAME: &str = "Tenant Gateway";

/// The site that passkeys belong to, made of the gateway's public URL: a passkey works there and
/// nowhere else.
#[derive(Clone)]
pub struct RelyingParty(pub(super) Webauthn);

impl RelyingParty {
    /// The site of that URL. None where browsers offer no passkeys: on IP addresses, and without TLS
    /// except on `localhost`.
    pub fn of(public_url: &str) -> Option<Self> {
        let origin = Url::parse(public_url).ok()?;
        let host = origin.domain()?.to_owned();
        let is_local = host == "localhost" || host.ends_with(".localhost");
        if origin.scheme() != "https" && !is_local {
            return None;
        }
        let site = WebauthnBuilder::new(&host, &origin).ok()?.rp_name(NAME);
        site.build().ok().map(Self)
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RelyingParty").field(&self.0.get_allowed_origins()).finish()
    }
}

/// A ceremony that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its id, which the browser sends back with the answer.
    pub ceremony: CeremonyId,
    /// The options for `navigator.credentials`, in JSON with base64url for bytes.
    pub options: Value,
}

/// A person whom a passkey proved, with user verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The person.
    pub user: UserId,
    /// Their token generation.
    pub generation: i64,
    /// Their passkey.
    pub passkey: PasskeyId,
}

/// A person who registers a passkey in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registrant {
    /// The person.
    pub user: UserId,
    /// The token generation of the session. If a reset has begun another one meanwhile, nothing is
    /// registered.
    pub generation: i64,
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// The name that its owner gave it.
    pub name: String,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last signed in.
    pub last_used_at: Option<Timestamp>,
}

impl From<entity::Model> for Passkey {
    fn from(row: entity::Model) -> Self {
        let entity::Model { id, name, created_at, last_used_at, .. } = row;
        Self { id, name, created_at, last_used_at }
    }
}

/// The purpose of a ceremony: it must end for the purpose that it began for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new passkey.
    Registration,
    /// The second factor of a known person.
    SecondFactor,
    /// A sign-in as the owner of the passkey.
    SignIn,
}

impl Purpose {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "REGISTRATION",
            Self::SecondFactor => "SECOND_FACTOR",
            Self::SignIn => "SIGN_IN",
        }
    }
}

/// One refusal for every cause: whether the passkey is unknown, another's, or signed wrongly.
pub(super) fn refused() -> Error {
    Error::forbidden("the passkey was not accepted: start again")
}

/// The binding of a sealed credential: it opens only in its own row and for its owner.
pub(super) fn binding(id: PasskeyId, user: UserId) -> String {
    format!("passkey:{user}:{id}")
}

/// The binding of the sealed state of a ceremony.
pub(super) fn ceremony_binding(id: CeremonyId) -> String {
    format!("passkey_ceremony:{id}")
}

/// Reads what a browser sent.
pub(super) fn read<T: serde::de::DeserializeOwned>(credential: Value) -> Result<T> {
    serde_json::from_value(credential)
        .map_err(|_| Error::bad_input("credential", "must be a credential of Web Authentication"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_are_for_named_sites_behind_tls_and_for_localhost() {
        for (url, is_site) in [
            ("https://gateway.example", true),
            ("https://gateway.example:8443/base", true),
            ("http://localhost:8080", true),
            ("http://gateway.example", false),
            ("http://127.0.0.1:8080", false),
            ("https://192.0.2.1", false),
            ("no url", false),
        ] {
            assert_eq!(RelyingParty::of(url).is_some(), is_site, "{url}");
        }
    }
}
