//! Sessions as data.

use std::net::IpAddr;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::ids::{SessionId, TenantId, UserId};
use crate::tokens::Authentication;

/// How many characters of a `User-Agent` are kept.
const USER_AGENT_LENGTH_MAX: usize = 200;

/// The longest time since both factors were shown, for a change of factors.
const RECENT: Duration = Duration::from_mins(10);

/// How far a sign-in has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// The second factor is outstanding: the session opens nothing but the pages that take it.
    Mfa,
    /// The person is signed in.
    Active,
}

impl SessionState {
    /// The stored text.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Mfa => "MFA",
            Self::Active => "ACTIVE",
        }
    }
}

/// The limits of sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionSettings {
    /// How long a session lasts without a request.
    pub idle_timeout: Duration,
    /// How long it lasts at most.
    pub lifetime: Duration,
    /// How many one person may have.
    pub per_user: u64,
}

/// A browser or another program, as far as a request tells.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The network address.
    pub address: IpAddr,
    /// The `User-Agent`, at most 200 characters, none of them a control character.
    pub user_agent: String,
}

impl Visitor {
    /// A visitor from that address with a `User-Agent` of any length.
    pub fn new(address: IpAddr, user_agent: &str) -> Self {
        let printable = user_agent.chars().filter(|character| !character.is_control());
        Self {
            address: address.to_canonical(),
            user_agent: printable.take(USER_AGENT_LENGTH_MAX).collect(),
        }
    }
}

/// A sign-in that has passed its first factor, or both.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The person.
    pub user: UserId,
    /// The token generation of the person when they were authenticated. If a sign-out or a reset has
    /// begun another one meanwhile, the sign-in is refused.
    pub generation: i64,
    /// How they have authenticated.
    pub authentication: Authentication,
    /// Whether the second factor is outstanding.
    pub state: SessionState,
    /// Whether the person may set up their first second factor, because they come with a one-time
    /// link. A password alone must not permit it: after a reset of the factors a stolen password
    /// would be enough.
    pub may_enrol: bool,
    /// The browser that signs in.
    pub visitor: Visitor,
}

/// A live session of an enabled person.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id. It is no credential.
    pub id: SessionId,
    /// The person.
    pub user: UserId,
    /// The tenant that the person belongs to.
    pub home: TenantId,
    /// The person's address.
    pub email: String,
    /// The person's token generation.
    pub generation: i64,
    /// How far the sign-in has come.
    pub state: SessionState,
    /// As [`NewSession::may_enrol`].
    pub may_enrol: bool,
    /// How and when the person authenticated.
    pub authentication: Authentication,
    /// The network address that it began from.
    pub address: String,
    /// The program that it began with.
    pub user_agent: String,
    /// How many wrong device codes were entered in it.
    pub wrong_codes: i64,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
}

impl Session {
    /// Whether the person is signed in.
    pub fn is_active(&self) -> bool {
        self.state == SessionState::Active
    }

    /// Whether both factors were shown within 10 minutes: required for a change of factors, so that
    /// a browser left open is not enough.
    pub fn is_recent(&self, now: Timestamp) -> bool {
        self.is_active() && now.since(self.authentication.auth_time) < RECENT
    }

    /// Whether the person may set up a second factor now.
    pub fn may_set_up_factor(&self, now: Timestamp) -> bool {
        self.may_enrol || self.is_recent(now)
    }
}

/// A live session in a list of its person's.
#[derive(Clone, Debug)]
pub struct SessionInfo {
    /// Its id.
    pub id: SessionId,
    /// Whether the person is signed in; else the second factor is outstanding.
    pub is_active: bool,
    /// How the person authenticated, as RFC 8176 names it.
    pub methods: Vec<String>,
    /// The network address that it began from.
    pub address: String,
    /// The browser, as it names itself.
    pub user_agent: String,
    /// When the person authenticated.
    pub authenticated_at: Timestamp,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
}
