//! The objects of the Integration Server as types.

mod listed_object;
mod new_tenant;
mod page_query;
mod remote_id;
mod report;
mod task;
mod vendor_code;
mod wire_text;

use std::fmt;

use uuid::Uuid;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::hyphenated_uuid;

pub use listed_object::{AddedObject, ListedObject, ListedObjects, Places};
pub use new_tenant::{Administrator, AdministratorPassword, NewTenant, NewTenantKind};
pub use page_query::PageQuery;
pub use remote_id::RemoteId;
pub use report::{Report, ReportPeriod, ReportRange};
pub use task::{
    Cancellation, Started, Task, TaskError, TaskFilter, TaskKind, TaskOutcome, TaskState,
};
pub use vendor_code::VendorCode;
pub use wire_text::WireText;
pub(super) use wire_text::{is_legal, is_legal_text};

/// A tenant in the server's database (reference, T1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteTenant {
    /// Its identifier there.
    pub id: RemoteId,
    /// Its name, as given at creation; empty if the server left it out.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Free text of the caller who made it; may itself look like XML or JSON and is never read.
    pub user_data: Option<String>,
    /// Its virtual Administration Server; only a complete tenant has one.
    pub administration_server: Option<AdministrationServer>,
    /// Whether it is active; absent only in the results of tasks.
    pub status: Option<TenantStatus>,
    /// The infrastructure of the tenant; absent only in the results of tasks.
    pub kind: Option<TenantKind>,
    /// When it was registered.
    pub created: Option<Moment>,
    /// When its data last changed.
    pub updated: Option<Moment>,
}

/// A virtual Administration Server in Security Center.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdministrationServer {
    /// Its identifier in Security Center.
    pub id: Option<String>,
    /// The name of its administrator's account.
    pub administrator: Option<String>,
}

/// Whether a tenant is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantStatus {
    /// Activated.
    Active,
    /// Made and not activated, or deactivated.
    Inactive,
    /// A value that the vendor's documents do not list.
    Unknown(String),
}

impl TenantStatus {
    /// Reads a status, whatever its letter case.
    pub fn read(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "active" => Self::Active,
            "inactive" => Self::Inactive,
            _ => Self::Unknown(text.to_owned()),
        }
    }

    /// The status as the documents write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Unknown(text) => text,
        }
    }
}

/// The infrastructure that the server sets up for a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantKind {
    /// A row in the database and the whole protection infrastructure in Security Center.
    Complete,
    /// A row in the database alone.
    Simple,
    /// A value that the vendor's documents do not list.
    Unknown(String),
}

impl TenantKind {
    /// Reads a type of tenant, whatever its letter case.
    pub fn read(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "complete" => Self::Complete,
            "simple" => Self::Simple,
            _ => Self::Unknown(text.to_owned()),
        }
    }

    /// The type as the documents write it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Complete => "Complete",
            Self::Simple => "Simple",
            Self::Unknown(text) => text,
        }
    }
}

/// A virtual machine registered for a tenant (reference, T3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualMachine {
    /// Its identifier in the server's database.
    pub id: RemoteId,
    /// Its BIOS identifier; absent if the server's value is no UUID.
    pub bios_id: Option<BiosId>,
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// Free text of the caller who registered it; never read.
    pub user_data: Option<String>,
    /// When it was registered.
    pub created: Option<Moment>,
    /// When its data last changed.
    pub updated: Option<Moment>,
}

/// A virtual machine to be registered (reference, T7).
#[derive(Clone, Debug)]
pub struct NewVirtualMachine {
    /// Its BIOS identifier.
    pub bios_id: BiosId,
    /// Its name.
    pub name: Option<WireText>,
    /// Free text to be kept with it.
    pub user_data: Option<WireText>,
}

/// The identifier by which a machine is unregistered (reference, T8).
#[derive(Clone, Debug)]
pub enum MachineKey {
    /// Its identifier in the server's database.
    Id(RemoteId),
    /// Its BIOS identifier.
    Bios(BiosId),
}

/// The BIOS identifier of a machine, a UUID, without letter case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BiosId(Uuid);

impl BiosId {
    /// Reads a UUID in its usual form with hyphens, in either letter case.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` for anything else.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        Self::read(text).ok_or_else(|| Error::bad_input(argument, "must be a UUID"))
    }

    /// Parses the server's text; `None` if it is no UUID with hyphens.
    pub fn read(text: &str) -> Option<Self> {
        hyphenated_uuid(text).map(Self)
    }
}

impl fmt::Display for BiosId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A date of the server, which writes them without a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The moment, read in the time zone of the installation.
    At(Timestamp),
    /// The server's text, if it is not a date.
    Unreadable(String),
}

impl Moment {
    /// The moment, if the date was readable.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(*moment),
            Self::Unreadable(_) => None,
        }
    }
}
