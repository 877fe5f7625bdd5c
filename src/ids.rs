//! Identifiers: UUID newtypes, which the compiler keeps apart, and database columns.

use std::fmt;
use std::str::FromStr;

use sea_orm::{DbErr, DeriveValueType, TryFromU64};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::entropy::Entropy;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Generates an identifier (UUID version 4).
            pub fn random(entropy: &dyn Entropy) -> Self {
                Self(random_uuid(entropy))
            }
        }

        // The trait is required of primary keys; none of these is an auto-increment number.
        impl TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, DbErr> {
                Err(DbErr::ConvertFromU64(stringify!($name)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// A tenant: a partner, an organization or a customer.
    TenantId,
    /// A client, by its UUID; its OAuth `client_id` is another, textual name for it.
    ClientId,
    /// One of the secrets of a client.
    SecretId,
    /// A built-in role.
    RoleId,
    /// One role given to one client in one tenant.
    AssignmentId,
    /// A key that signs tokens; the `kid` of their headers.
    KeyId,
    /// A public key of a client.
    ClientKeyId,
    /// An access token; the `jti` of its claims.
    TokenId,
    /// A record of the audit log.
    AuditId,
    /// An installation of a legacy system.
    UpstreamId,
    /// A link between a gateway tenant and a tenant of an upstream.
    LinkId,
    /// A key of a tenant that was minted through the primary manager.
    TenantKeyId,
    /// A task of a legacy system, as the gateway keeps it.
    TaskId,
    /// A person who signs in.
    UserId,
    /// One role given to one user in one tenant.
    UserAssignmentId,
    /// A one-time link by which a person sets their password.
    InvitationId,
    /// A key of one-time passwords of a user.
    TotpId,
    /// A recovery code of a user.
    RecoveryCodeId,
    /// A passkey of a user.
    PasskeyId,
    /// A session of a person, which is not the cookie that opens it.
    SessionId,
    /// A request of a program for a person's approval.
    DeviceCodeId,
    /// A registration of, or a sign-in with, a passkey that has begun.
    CeremonyId,
    /// The identity provider of a tenant.
    IdentityProviderId,
}

/// The holder of roles: a client or a user. One rule of access holds for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectId {
    /// A client.
    Client(ClientId),
    /// A person.
    User(UserId),
}

impl SubjectId {
    /// The UUID, which no subject of the other kind has.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Client(id) => id.0,
            Self::User(id) => id.0,
        }
    }

    /// The kind, as the database and the claim `subject_type` name it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Client(_) => "client",
            Self::User(_) => "user",
        }
    }
}

impl From<ClientId> for SubjectId {
    fn from(id: ClientId) -> Self {
        Self::Client(id)
    }
}

impl From<UserId> for SubjectId {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid().fmt(f)
    }
}

/// The UUID that a text of 36 characters with hyphens is, in either letter case.
pub fn hyphenated_uuid(text: &str) -> Option<Uuid> {
    const LENGTH: usize = 36;
    if text.len() == LENGTH { Uuid::try_parse(text).ok() } else { None }
}

/// Generates a UUID of version 4.
pub fn random_uuid(entropy: &dyn Entropy) -> Uuid {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
