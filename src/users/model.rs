//! Users, independent of the tables.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::email::EmailAddress;
use super::entity;
use crate::auth::{RequestId, RoleHold};
use crate::clock::Timestamp;
use crate::ids::{TenantId, UserId};
use crate::names::{Name, NamePattern};
use crate::roles::Role;
use crate::secret::PlainSecret;
use crate::tokens::UserSubject;

/// A user with their roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub row: entity::Model,
    /// Their roles, expired ones too, oldest first.
    pub assignments: Vec<entity::assignment::Model>,
    /// Their second factors.
    pub factors: Factors,
    /// The end of the latest link made for them; absent if none is open.
    pub invited_until: Option<Timestamp>,
}

impl User {
    /// The user's UUID.
    pub fn id(&self) -> UserId {
        self.row.id
    }

    /// The tenant that they belong to.
    pub fn tenant(&self) -> TenantId {
        self.row.tenant_id
    }

    /// The subject of a token for this person.
    pub fn subject(&self) -> UserSubject {
        UserSubject {
            user: self.row.id,
            tenant: self.row.tenant_id,
            generation: self.row.token_generation,
        }
    }

    /// Whether the password or the last second factor was lost in a change; `after` is the user
    /// after it.
    pub fn lost_credential_in(&self, after: &Self) -> bool {
        let lost_password = self.row.password_hash.is_some() && after.row.password_hash.is_none();
        lost_password || (self.factors.any() && !after.factors.any())
    }

    /// The roles that they hold.
    pub fn holds(&self) -> Vec<RoleHold> {
        let hold = |held: &entity::assignment::Model| RoleHold {
            role: held.role_id,
            tenant: held.tenant_id,
            expires_at: held.expires_at,
        };
        self.assignments.iter().map(hold).collect()
    }

    /// The user as the audit log records them: credentials only as present or absent.
    pub fn state(&self) -> Value {
        let roles = self.assignments.iter().map(|held| {
            let end = held.expires_at.map(|end| end.to_string());
            json!({ "tenantID": held.tenant_id, "roleID": held.role_id, "expiresAt": end })
        });
        json!({
            "email": self.row.email,
            "name": self.row.name,
            "tenantID": self.row.tenant_id,
            "enabled": self.row.enabled,
            "hasPassword": self.row.password_hash.is_some(),
            "totp": self.factors.totp,
            "passkeys": self.factors.passkeys,
            "roles": roles.collect::<Vec<_>>(),
        })
    }
}

/// The second factors of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Whether an authenticator app is set up.
    pub totp: bool,
    /// The number of passkeys.
    pub passkeys: u64,
}

impl Factors {
    /// Whether there is one at all.
    pub fn any(self) -> bool {
        self.totp || self.passkeys > 0
    }
}

/// A person to invite.
pub struct NewUser {
    /// The address by which they sign in; unique within the tenant.
    pub email: EmailAddress,
    /// Their name.
    pub name: Name,
    /// The roles that they get in the tenant of the scope.
    pub roles: Vec<Role>,
}

/// A change of a user; absent fields stay.
#[derive(Default)]
pub struct UserChange {
    /// A new name.
    pub name: Option<Name>,
    /// A new address.
    pub email: Option<EmailAddress>,
    /// Whether they can sign in, and whether their sessions and tokens work.
    pub enabled: Option<bool>,
}

/// A role to grant.
#[derive(Clone, Copy)]
pub struct Grant {
    /// The tenant; that of the scope if absent.
    pub tenant: Option<TenantId>,
    /// The role.
    pub role: Role,
    /// When it ends; never if absent.
    pub expires_at: Option<Timestamp>,
}

/// A filter of users: all conditions must hold.
#[derive(Clone, Default)]
pub struct UserFilter {
    /// By address.
    pub email: Option<NamePattern>,
    /// By tenant.
    pub tenant: Option<TenantId>,
    /// Whether they are enabled.
    pub enabled: Option<bool>,
}

/// The origin of a sign-in attempt.
#[derive(Clone, Debug)]
pub struct SignInOrigin {
    /// The address of the browser.
    pub address: IpAddr,
    /// The request.
    pub request_id: RequestId,
}

/// The result of checking a password.
#[derive(Debug)]
pub enum PasswordOutcome {
    /// The password is this user's.
    Accepted(Box<User>),
    /// The password is wrong, or the user may not sign in with one. The page shows one text for
    /// all causes.
    Refused,
    /// Too many attempts failed; the password was not checked.
    SlowDown {
        /// The wait before a further attempt is checked.
        retry_after: Duration,
    },
}

/// The result of checking a one-time password or a recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorOutcome {
    /// The code is right, and now used.
    Accepted,
    /// The code is wrong, too old, or was used before.
    Refused,
    /// Too many attempts failed; the code was not checked.
    SlowDown {
        /// The wait before a further attempt is checked.
        retry_after: Duration,
    },
}

/// The reason for a one-time link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The person is new.
    Invitation,
    /// Their password was reset.
    Password,
    /// Their second factors were reset, and their password with them.
    Mfa,
}

impl Purpose {
    /// The stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::Password => "PASSWORD",
            Self::Mfa => "MFA",
        }
    }

    /// Reads the stored text.
    pub fn read(text: &str) -> Option<Self> {
        [Self::Invitation, Self::Password, Self::Mfa]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
    }
}

/// An open one-time link.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// The person.
    pub user: User,
    /// The name of their tenant.
    pub tenant_name: String,
    /// The purpose of the link.
    pub purpose: Purpose,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A user with a new one-time link.
pub struct Invited {
    /// The user.
    pub user: User,
    /// The token of the link, shown once.
    pub token: PlainSecret,
    /// When the link ends.
    pub expires_at: Timestamp,
}

/// The URL of the gateway, under which people open its pages.
#[derive(Clone, Debug)]
pub struct PublicUrl(pub String);

impl PublicUrl {
    /// The one-time link with that token.
    pub fn invitation(&self, token: &PlainSecret) -> String {
        format!("{}/invite/{}", self.0.trim_end_matches('/'), token.expose())
    }
}

/// The key of an authenticator app, shown once.
pub struct TotpEnrolment {
    /// The key in base 32, for people who type it.
    pub key: String,
    /// The `otpauth:` URI of the key.
    pub uri: String,
    /// The URI as a QR code: an SVG image.
    pub qr_svg: String,
}

impl fmt::Debug for TotpEnrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Ten recovery codes, shown once.
pub struct RecoveryCodes(pub(super) Vec<String>);

impl RecoveryCodes {
    /// The codes, for the one page that shows them.
    pub fn expose(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
