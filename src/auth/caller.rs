//! The caller of a request, or of work without one.

use crate::ids::{ClientId, SubjectId, TenantId, UserId};

/// The subject that acts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A client with a verified token.
    Client {
        /// The client.
        id: ClientId,
        /// The tenant that it belongs to.
        home: TenantId,
    },
    /// A person with a verified token or session.
    User {
        /// The user.
        id: UserId,
        /// The tenant that they belong to.
        home: TenantId,
    },
    /// The operator at the command line, who has the database and the master key in any case.
    Operator,
    /// The gateway itself, which continues recorded work of callers in the background: tasks, and
    /// keys to be renewed or removed.
    Gateway,
}

impl Caller {
    /// The caller that a verified identity names.
    pub(super) const fn of(subject: SubjectId, home: TenantId) -> Self {
        match subject {
            SubjectId::Client(id) => Self::Client { id, home },
            SubjectId::User(id) => Self::User { id, home },
        }
    }

    /// The client or user; nothing for the operator and the gateway itself, who hold no roles.
    pub fn subject(&self) -> Option<SubjectId> {
        match self {
            Self::Client { id, .. } => Some(SubjectId::Client(*id)),
            Self::User { id, .. } => Some(SubjectId::User(*id)),
            Self::Operator | Self::Gateway => None,
        }
    }

    /// How records name the caller: the UUID of the client or user, `operator` or `gateway`.
    pub fn name(&self) -> String {
        match self {
            Self::Client { id, .. } => id.to_string(),
            Self::User { id, .. } => id.to_string(),
            Self::Operator => "operator".to_owned(),
            Self::Gateway => "gateway".to_owned(),
        }
    }

    /// The tenant that the caller belongs to.
    pub fn home(&self) -> Option<TenantId> {
        match self {
            Self::Client { home, .. } | Self::User { home, .. } => Some(*home),
            Self::Operator | Self::Gateway => None,
        }
    }
}
