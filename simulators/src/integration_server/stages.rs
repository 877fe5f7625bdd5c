//! The effect of each stage, and how it is rolled back (reference, section 6).

use super::installation::Installation;
use super::objects::{StoredReport, Tenant, VirtualServer};
use super::security_center::complies;
use super::task::{Outcome, Task};
use super::work::{Stage, Undo, Work};

const UNKNOWN_TENANT: &str = "VIRMT_TenantWithSpecifiedIdNotFound";

impl Installation {
    /// Carries a stage out; the error begins with its code.
    pub(crate) fn carry_out(
        &mut self,
        stage: Stage,
        task: &mut Task,
        at: i64,
    ) -> Result<(), String> {
        match stage {
            Stage::ConnectToCenter if !self.security_center.configured => {
                Err("KSC_ServiceNotConfigured".to_owned())
            }
            Stage::FindTenant => self.subject(&task.work).map(drop),
            Stage::AddTenant => self.add_tenant(task, at),
            Stage::CreateAdministrator => self.create_administrator(task),
            Stage::CreateFolder => self.create_folder(task),
            Stage::LinkServer => self.link_server(task, at),
            Stage::ChangeStatus => self.change_status(task, at),
            Stage::RemoveInfrastructure => self.remove_infrastructure(task),
            Stage::RemoveTenant => self.remove_tenant(task),
            Stage::WriteReport => self.write_report(task, at),
            Stage::ConnectToCenter | Stage::CreateServer | Stage::Other => Ok(()),
        }
    }

    /// The tenant that some work is about.
    fn subject(&self, work: &Work) -> Result<&Tenant, String> {
        let found = match work {
            Work::Create { tenant, .. } => self.tenants.iter().find(|found| found.id == tenant.id),
            Work::Activation { tenant, .. } | Work::Delete { tenant, .. } => self.tenant(tenant),
            Work::Report { .. } | Work::Other => None,
        };
        found.ok_or_else(|| UNKNOWN_TENANT.to_owned())
    }

    fn add_tenant(&mut self, task: &mut Task, at: i64) -> Result<(), String> {
        let Work::Create { tenant, administrator } = &task.work else { return Ok(()) };
        if self.tenants.iter().any(|other| other.name == tenant.name) {
            return Err("VIRMT_TenantWithSpecifiedNameAlreadyExists".to_owned());
        }
        let finished = administrator.is_none();
        self.tenants.push(Tenant { created: at, updated: at, finished, ..Tenant::clone(tenant) });
        task.undo.push(Undo::RemoveTenant);
        Ok(())
    }

    fn create_administrator(&mut self, task: &mut Task) -> Result<(), String> {
        let Work::Create { administrator: Some(administrator), .. } = &task.work else {
            return Ok(());
        };
        if !complies(&administrator.password) {
            return Err("VIRMT_PasswordNotComplyPolicy".to_owned());
        }
        if !self.security_center.administrators.insert(administrator.name.clone()) {
            return Err("VIRMT_UserWithSpecifiedNameAlreadyExists".to_owned());
        }
        task.undo.push(Undo::RemoveAdministrator(administrator.name.clone()));
        Ok(())
    }

    fn create_folder(&mut self, task: &mut Task) -> Result<(), String> {
        let Work::Create { tenant, .. } = &task.work else { return Ok(()) };
        if !self.security_center.folders.insert(tenant.name.clone()) {
            return Err("VIRMT_TenantGroupAlreadyExists".to_owned());
        }
        task.undo.push(Undo::RemoveFolder(tenant.name.clone()));
        Ok(())
    }

    fn link_server(&mut self, task: &mut Task, at: i64) -> Result<(), String> {
        let Work::Create { tenant, administrator: Some(administrator) } = &task.work else {
            return Ok(());
        };
        let server = VirtualServer {
            id: self.security_center.new_server(),
            administrator: administrator.name.clone(),
        };
        let made =
            self.tenants.iter_mut().find(|made| made.id == tenant.id).ok_or(UNKNOWN_TENANT)?;
        (made.server, made.updated, made.finished) = (Some(server), at, true);
        Ok(())
    }

    fn change_status(&mut self, task: &mut Task, at: i64) -> Result<(), String> {
        let Work::Activation { tenant, active } = &task.work else { return Ok(()) };
        let tenant = self.tenant_mut(tenant).ok_or(UNKNOWN_TENANT)?;
        (tenant.active, tenant.updated) = (*active, at);
        Ok(())
    }

    fn remove_infrastructure(&mut self, task: &mut Task) -> Result<(), String> {
        let tenant = self.subject(&task.work)?.clone();
        self.security_center.folders.remove(&tenant.name);
        if let Some(server) = &tenant.server {
            self.security_center.administrators.remove(&server.administrator);
        }
        task.undo.push(Undo::RestoreInfrastructure(Box::new(tenant)));
        Ok(())
    }

    /// Its machines stay protected, of no tenant.
    fn remove_tenant(&mut self, task: &mut Task) -> Result<(), String> {
        let id = self.subject(&task.work)?.id.clone();
        let place = self.tenants.iter().position(|tenant| tenant.id == id).ok_or(UNKNOWN_TENANT)?;
        let tenant = self.tenants.remove(place);
        let strays: Vec<String> =
            tenant.machines.iter().map(|machine| machine.id.clone()).collect();
        self.stray_machines.extend(tenant.machines.iter().cloned());
        task.undo.push(Undo::RestoreTenant(Box::new(tenant), strays));
        Ok(())
    }

    fn write_report(&mut self, task: &mut Task, at: i64) -> Result<(), String> {
        let Work::Report { tenant, from, to } = &task.work else { return Ok(()) };
        let csv = self.report_lines(tenant.as_deref(), *from, *to);
        let id = self.random.uuid();
        self.reports.push(StoredReport {
            id,
            task: task.id.clone(),
            tenant: tenant.clone(),
            created: at,
            csv,
            fetched: 0,
        });
        Ok(())
    }

    /// The outcome of a task whose stages are done.
    pub(crate) fn outcome(&self, task: &Task) -> Outcome {
        let removed = task.undo.iter().find_map(|undo| match undo {
            Undo::RestoreTenant(tenant, _) => Some(Outcome::Tenant(tenant.clone())),
            _ => None,
        });
        match &task.work {
            Work::Create { tenant, .. } => {
                let made = self.tenants.iter().find(|made| made.id == tenant.id);
                made.map_or(Outcome::Confirmation, |made| Outcome::Tenant(Box::new(made.clone())))
            }
            Work::Report { .. } => {
                let report = self.reports.iter().find(|report| report.task == task.id);
                Outcome::Report(report.map(|report| report.id.clone()).unwrap_or_default())
            }
            Work::Delete { .. } => removed.unwrap_or(Outcome::Confirmation),
            Work::Activation { .. } | Work::Other => Outcome::Confirmation,
        }
    }

    /// Keeps the work done so far.
    pub(crate) fn abandon(&mut self, task: &Task) {
        let Work::Create { tenant, .. } = &task.work else { return };
        if let Some(made) = self.tenants.iter_mut().find(|made| made.id == tenant.id) {
            made.finished = true;
        }
    }

    /// Rolls back the work of a task, last stage first.
    pub(crate) fn undo(&mut self, task: &mut Task) {
        while let Some(undo) = task.undo.pop() {
            match undo {
                Undo::RemoveTenant => {
                    let Work::Create { tenant, .. } = &task.work else { continue };
                    self.tenants.retain(|made| made.id != tenant.id);
                }
                Undo::RemoveAdministrator(name) => {
                    self.security_center.administrators.remove(&name);
                }
                Undo::RemoveFolder(name) => {
                    self.security_center.folders.remove(&name);
                }
                Undo::RestoreInfrastructure(tenant) => {
                    self.security_center
                        .administrators
                        .extend(tenant.server.map(|server| server.administrator));
                    self.security_center.folders.insert(tenant.name);
                }
                Undo::RestoreTenant(tenant, strays) => {
                    self.stray_machines.retain(|machine| !strays.contains(&machine.id));
                    self.tenants.push(*tenant);
                }
            }
        }
    }
}
