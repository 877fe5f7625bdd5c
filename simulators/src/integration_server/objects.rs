//! The objects of a server: tenants, machines, reports.

use serde::Serialize;

/// Whether a tenant has a virtual Administration Server of its own (reference, T4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TenantKind {
    /// With a virtual server.
    Complete,
    /// Without one.
    Simple,
}

impl TenantKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Complete => "Complete",
            Self::Simple => "Simple",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Complete, Self::Simple].into_iter().find(|kind| kind.name() == name)
    }
}

/// A tenant (reference, T1).
#[derive(Clone)]
pub(crate) struct Tenant {
    pub id: String,
    pub created: i64,
    pub updated: i64,
    pub name: String,
    pub description: Option<String>,
    pub user_data: Option<String>,
    pub address: Option<String>,
    pub server: Option<VirtualServer>,
    pub active: bool,
    pub kind: TenantKind,
    pub machines: Vec<Machine>,
    /// Whether the task that makes it has ended.
    pub finished: bool,
}

/// A virtual Administration Server.
#[derive(Clone)]
pub(crate) struct VirtualServer {
    pub id: u32,
    pub administrator: String,
}

/// A machine (reference, T3).
#[derive(Clone)]
pub(crate) struct Machine {
    pub id: String,
    pub bios_id: String,
    pub created: i64,
    pub updated: i64,
    pub name: Option<String>,
    pub user_data: Option<String>,
    /// When it was protected.
    pub periods: Vec<Period>,
}

/// When a machine was protected; without end while it is.
#[derive(Clone, Copy)]
pub(crate) struct Period {
    pub from: i64,
    pub to: Option<i64>,
}

/// A report, kept for a while.
pub(crate) struct StoredReport {
    pub id: String,
    /// The task that made it.
    pub task: String,
    /// Absent if it covers all.
    pub tenant: Option<String>,
    pub created: i64,
    pub csv: Vec<u8>,
    /// How often it was downloaded.
    pub fetched: u64,
}
