//! The start of tasks: their stages and their fate.

use super::installation::Installation;
use super::objects::TenantKind;
use super::task::{Fate, State, Task};
use super::work::{Stage, Work};

impl Installation {
    /// Starts a task; returns its identifier.
    pub fn start(&mut self, kind: &str, work: Work) -> String {
        let now = self.clock.now();
        let fate = self.next_fate(kind);
        let stages = self.stages(&work);
        let task = Task {
            id: self.random.uuid(),
            kind: kind.to_owned(),
            created: now,
            state_changed: now,
            changed: now,
            state: State::Created,
            outcome: None,
            fate,
            stages,
            done: 0,
            work,
            undo: Vec::new(),
            due: Some(now + self.task_timing.waiting),
        };
        let id = task.id.clone();
        self.tasks.push(task);
        id
    }

    /// The fate of a new task, by the oldest order for its type.
    fn next_fate(&mut self, kind: &str) -> Option<Fate> {
        let order =
            self.orders.iter_mut().find(|order| order.kind.name() == kind && order.times > 0)?;
        order.times -= 1;
        Some(order.fate.clone())
    }

    /// The stages of the work, as known when it starts.
    fn stages(&self, work: &Work) -> Vec<Stage> {
        let is_complete =
            |id: &str| self.tenant(id).is_some_and(|tenant| tenant.kind == TenantKind::Complete);
        match work {
            Work::Create { administrator: None, .. } => vec![Stage::AddTenant],
            Work::Create { .. } => vec![
                Stage::ConnectToCenter,
                Stage::AddTenant,
                Stage::CreateServer,
                Stage::CreateAdministrator,
                Stage::CreateFolder,
                Stage::LinkServer,
            ],
            Work::Activation { tenant, .. } if is_complete(tenant) => {
                vec![Stage::FindTenant, Stage::ConnectToCenter, Stage::ChangeStatus]
            }
            Work::Activation { .. } => vec![Stage::FindTenant, Stage::ChangeStatus],
            Work::Delete { tenant, artifacts: true } if is_complete(tenant) => {
                vec![
                    Stage::FindTenant,
                    Stage::ConnectToCenter,
                    Stage::RemoveInfrastructure,
                    Stage::RemoveTenant,
                ]
            }
            Work::Delete { .. } => vec![Stage::FindTenant, Stage::RemoveTenant],
            Work::Report { .. } => vec![Stage::WriteReport],
            Work::Other => vec![Stage::Other; 3],
        }
    }
}
