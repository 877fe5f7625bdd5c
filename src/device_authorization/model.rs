//! Requests of programs, and the decisions of people.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ids::{DeviceCodeId, TenantId, UserId};
use crate::secret::PlainSecret;
use crate::tokens::Authentication;

use super::user_code::UserCode;

/// The program of the Taegis SDK, which does not name itself.
const TAEGIS_SDK: &str = "taegis-sdk";

const NAME_LENGTH_MAX: usize = 64;

/// The `client_id` of a registered client has this many letters and digits.
const REGISTERED_LENGTH: usize = 32;

/// The name that a public program gives itself as its `client_id`: 1 to 64 characters of
/// `[A-Za-z0-9._-]`. Nobody verifies it. Ids of registered clients are refused, so that no program
/// can pass for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramName(String);

impl ProgramName {
    /// Reads a `client_id`; none if it has another form, or that of a registered client's.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_name = (1..=NAME_LENGTH_MAX).contains(&text.len()) && text.bytes().all(allowed);
        let is_registered = text.len() == REGISTERED_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_uuid = text.parse::<uuid::Uuid>().is_ok();
        (is_name && !is_registered && !is_uuid).then(|| Self(text.to_owned()))
    }

    /// The Taegis SDK.
    pub fn taegis_sdk() -> Self {
        Self(TAEGIS_SDK.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A program that asks for a token.
#[derive(Clone, Debug)]
pub struct DeviceRequest {
    /// The program.
    pub program: ProgramName,
    /// The only tenant that the token is to be valid in; not looked up.
    pub tenant: Option<TenantId>,
    /// The scopes, separated by spaces.
    pub scope: String,
    /// The network address.
    pub address: IpAddr,
    /// The `User-Agent`, shortened.
    pub user_agent: String,
}

/// A request that waits for a person's decision, with its two codes in the clear.
pub struct StartedRequest {
    /// The code that the program keeps.
    pub device_code: PlainSecret,
    /// The code that the person enters.
    pub user_code: UserCode,
    /// How long both codes are valid.
    pub expires_in: Duration,
    /// How long the program has to wait between polls.
    pub interval: Duration,
}

/// A request, as shown to the person who decides.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its id.
    pub id: DeviceCodeId,
    /// The name that the program gives itself.
    pub program: String,
    /// The tenant asked for.
    pub tenant: Option<TenantId>,
    /// The scopes asked for.
    pub scope: String,
    /// The network address that it came from.
    pub address: String,
    /// The program as its HTTP library names it.
    pub user_agent: String,
    /// When the program asked.
    pub created_at: Timestamp,
    /// When the codes end.
    pub expires_at: Timestamp,
}

/// A person who decides.
#[derive(Clone, Debug)]
pub struct Approver {
    /// The person.
    pub user: UserId,
    /// The tenant that they belong to.
    pub home: TenantId,
    /// Their token generation. A newer one makes the approval worthless.
    pub generation: i64,
    /// How they have authenticated.
    pub authentication: Authentication,
}

/// A request that a person has approved and no program has used yet.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Its id.
    pub id: DeviceCodeId,
    /// The program.
    pub program: String,
    /// The person.
    pub user: UserId,
    /// The token generation of the person at the approval.
    pub generation: i64,
    /// The only tenant of the token.
    pub tenant: Option<TenantId>,
    /// The scopes of the token.
    pub scope: String,
    /// How the person had authenticated.
    pub authentication: Authentication,
}

/// The answer to a poll with a device code.
#[derive(Debug)]
pub enum Polled {
    /// Nobody has decided yet.
    Pending,
    /// Nobody has decided yet, and the program polled too early: it has to wait longer from now on.
    SlowDown,
    /// The codes have ended.
    Expired,
    /// The person has denied.
    DeniedByPerson,
    /// The person has approved.
    Approved(Approval),
    /// No such code, it was used already, or it is another program's.
    Unknown,
}

/// The limits of device authorization.
#[derive(Clone, Copy, Debug)]
pub struct DeviceSettings {
    /// How long codes are good.
    pub code_lifetime: Duration,
    /// How long a program has to wait between polls.
    pub poll_interval: Duration,
    /// How many undecided codes one network may have.
    pub codes_per_address: u64,
}

impl fmt::Display for ProgramName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_has_a_plain_name_that_no_client_has() {
        for name in ["taegis-sdk", "a", "my_tool.v2", &"x".repeat(64), &"-".repeat(32)] {
            assert!(ProgramName::parse(name).is_some(), "{name}");
        }
        let registered = "a".repeat(REGISTERED_LENGTH);
        let long = "x".repeat(65);
        let uuid = "ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068";
        for name in ["", "two words", "<b>", "é", "a\0", &*registered, &*long, uuid] {
            assert!(ProgramName::parse(name).is_none(), "{name}");
        }
    }
}
