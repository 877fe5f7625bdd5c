//! The work of tasks and its stages (reference, T4 to T9 and R1).

use super::objects::Tenant;

/// The work of a task.
pub(crate) enum Work {
    Create {
        tenant: Box<Tenant>,
        administrator: Option<Administrator>,
    },
    Activation {
        tenant: String,
        active: bool,
    },
    Delete {
        tenant: String,
        artifacts: bool,
    },
    Report {
        tenant: Option<String>,
        from: Option<i64>,
        to: i64,
    },
    /// Something that this API did not start.
    Other,
}

/// The account that a Complete tenant comes with.
pub(crate) struct Administrator {
    pub name: String,
    pub password: String,
}

/// A part of a task's work; it takes effect when its time has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    FindTenant,
    ConnectToCenter,
    AddTenant,
    CreateServer,
    CreateAdministrator,
    CreateFolder,
    LinkServer,
    ChangeStatus,
    RemoveInfrastructure,
    RemoveTenant,
    WriteReport,
    Other,
}

/// How a stage is taken back.
pub(crate) enum Undo {
    RemoveTenant,
    RemoveAdministrator(String),
    RemoveFolder(String),
    RestoreInfrastructure(Box<Tenant>),
    RestoreTenant(Box<Tenant>, Vec<String>),
}

impl Stage {
    /// As the task's `stage` says it.
    pub fn title(self) -> &'static str {
        match self {
            Self::FindTenant => "Looking for the tenant",
            Self::ConnectToCenter => "Connecting to Security Center on ksc.internal",
            Self::AddTenant => "Adding the tenant to the database",
            Self::CreateServer => "Creating the virtual Administration Server",
            Self::CreateAdministrator => "Creating the administrator account",
            Self::CreateFolder => "Creating folder",
            Self::LinkServer => "Updating the tenant in the database",
            Self::ChangeStatus => "Changing the status",
            Self::RemoveInfrastructure => "Removing the protection infrastructure",
            Self::RemoveTenant => "Removing the tenant from the database",
            Self::WriteReport => "Collecting periods of protection",
            Self::Other => "Deploying",
        }
    }
}
