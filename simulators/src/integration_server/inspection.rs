//! State of a server that tests can inspect beside its responses.

use super::installation::Installation;
use super::objects::{Machine, Tenant, TenantKind};
use super::task::{Outcome, Task};

/// A tenant, also one that no call shows yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTenant {
    /// The identifier.
    pub id: String,
    /// The name.
    pub name: String,
    /// The type.
    pub kind: TenantKind,
    /// Whether the status is `Active`.
    pub active: bool,
    /// The description.
    pub description: Option<String>,
    /// The user data.
    pub user_data: Option<String>,
    /// `preferredViisAddress`, which no answer shows.
    pub preferred_address: Option<String>,
    /// Of its virtual server.
    pub administrator: Option<String>,
    /// The registered machines.
    pub machines: Vec<FoundMachine>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundMachine {
    /// The identifier.
    pub id: String,
    /// The BIOS identifier.
    pub bios_id: String,
    /// The name.
    pub name: Option<String>,
    /// The user data.
    pub user_data: Option<String>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTask {
    /// The identifier.
    pub id: String,
    /// Its `type`.
    pub kind: String,
    /// Its state by the reference's name, whatever the dialect calls it.
    pub state: String,
    /// The code of the error, if it failed.
    pub error: Option<String>,
}

impl FoundTask {
    /// Whether it is Completed, Failed or Canceled.
    pub fn has_ended(&self) -> bool {
        matches!(self.state.as_str(), "Completed" | "Failed" | "Canceled")
    }
}

/// A report that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundReport {
    /// The identifier.
    pub id: String,
    /// As R1 named it; absent if the report covers all.
    pub tenant: Option<String>,
    /// How often it was downloaded, in whole or in part.
    pub fetched: u64,
}

impl Installation {
    pub fn found_tenants(&self) -> Vec<FoundTenant> {
        self.tenants.iter().map(found_tenant).collect()
    }

    pub fn found_tasks(&self) -> Vec<FoundTask> {
        self.tasks.iter().map(found_task).collect()
    }

    pub fn found_reports(&self) -> Vec<FoundReport> {
        let found = |(id, tenant, fetched): (&String, &Option<String>, u64)| FoundReport {
            id: id.clone(),
            tenant: tenant.clone(),
            fetched,
        };
        self.reports
            .iter()
            .map(|report| found((&report.id, &report.tenant, report.fetched)))
            .collect()
    }
}

fn found_tenant(tenant: &Tenant) -> FoundTenant {
    FoundTenant {
        id: tenant.id.clone(),
        name: tenant.name.clone(),
        kind: tenant.kind,
        active: tenant.active,
        description: tenant.description.clone(),
        user_data: tenant.user_data.clone(),
        preferred_address: tenant.address.clone(),
        administrator: tenant.server.as_ref().map(|server| server.administrator.clone()),
        machines: tenant.machines.iter().map(found_machine).collect(),
    }
}

fn found_machine(machine: &Machine) -> FoundMachine {
    FoundMachine {
        id: machine.id.clone(),
        bios_id: machine.bios_id.clone(),
        name: machine.name.clone(),
        user_data: machine.user_data.clone(),
    }
}

fn found_task(task: &Task) -> FoundTask {
    let error = match &task.outcome {
        Some(Outcome::Error(error)) => Some(error.clone()),
        _ => None,
    };
    FoundTask {
        id: task.id.clone(),
        kind: task.kind.clone(),
        state: format!("{:?}", task.state),
        error,
    }
}
