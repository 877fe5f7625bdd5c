//! What the gateway keeps of a task: what it is for, how far it is known, and how it looked at each
//! change.

mod intent;
mod snapshot;

use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::integration_server::model::TaskKind;

pub use super::entity::task::Model as TaskRecord;
pub use intent::Intent;
pub use snapshot::{CreatedObject, Snapshot, StoredTenant, TaskErrorText};

/// What a task is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make a tenant.
    Create,
    /// To activate one.
    Activate,
    /// To deactivate one.
    Deactivate,
    /// To remove one.
    Delete,
    /// To make a report about one.
    Report,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Create, Self::Activate, Self::Deactivate, Self::Delete, Self::Report];

    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Activate => "ACTIVATE",
            Self::Deactivate => "DEACTIVATE",
            Self::Delete => "DELETE",
            Self::Report => "REPORT",
        }
    }

    /// The purpose of a record.
    ///
    /// # Errors
    /// If the database holds a name that this version does not know.
    pub fn of(record: &TaskRecord) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == record.kind);
        known.ok_or_else(|| Error::internal(format!("the purpose `{}` is not known", record.kind)))
    }

    /// What the server calls such tasks.
    pub const fn kind(self) -> TaskKind {
        match self {
            Self::Create => TaskKind::CreateTenant,
            Self::Activate | Self::Deactivate => TaskKind::ChangeTenantActivation,
            Self::Delete => TaskKind::DeleteTenant,
            Self::Report => TaskKind::CreateTenantReport,
        }
    }

    /// The mutation that begins one, as the audit log names it.
    pub const fn operation(self) -> &'static str {
        match self {
            Self::Create => "createIntegrationServerTenant",
            Self::Activate => "activateIntegrationServerTenant",
            Self::Deactivate => "deactivateIntegrationServerTenant",
            Self::Delete => "deleteIntegrationServerTenant",
            Self::Report => "createIntegrationServerReport",
        }
    }
}

/// How far a task is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its call is about to go out or has gone out, and no answer is recorded.
    Sent,
    /// The server has named it.
    Known,
    /// The answer was lost, or named no task: it is looked for.
    Lost,
    /// Nothing more is expected of it.
    Ended,
}

impl Phase {
    /// The name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Known => "KNOWN",
            Self::Lost => "LOST",
            Self::Ended => "ENDED",
        }
    }
}

/// Work that is about to be begun.
pub struct NewTask {
    /// Where.
    pub upstream: UpstreamId,
    /// What for.
    pub purpose: Purpose,
    /// The tenant there that it is about, if there is one already.
    pub remote_tenant: Option<String>,
    /// The tenant of ours to link the new tenant to.
    pub link: Option<TenantId>,
    /// What was asked for.
    pub intent: Intent,
}

/// Which tasks; all that is named must hold.
#[derive(Clone, Default)]
pub struct TaskQuery {
    /// By state, as the server's list of states writes it; `None` in it is any other.
    pub state: Option<Option<&'static str>>,
    /// By what the server calls them.
    pub kind: Option<String>,
    /// Made at this moment or later.
    pub created_from: Option<crate::clock::Timestamp>,
}
