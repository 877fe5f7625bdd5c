//! The state: the server's database, the tasks, the reports, and Security Center beside them.

use std::time::Duration;

use super::config::{Config, TaskTiming};
use super::dialect::Dialect;
use super::objects::{Machine, StoredReport, Tenant};
use super::security_center::SecurityCenter;
use super::task::{Fate, Task, TaskKind};
use crate::clock::Clock;
use crate::random::Random;

/// An order for tasks to come.
pub(crate) struct TaskOrder {
    pub kind: TaskKind,
    pub fate: Fate,
    pub times: u32,
}

/// [`TaskTiming`] in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Millis {
    pub waiting: i64,
    pub stage: i64,
    pub stopping: i64,
}

/// The whole state.
pub(crate) struct Installation {
    pub dialect: Dialect,
    pub clock: Clock,
    pub random: Random,
    pub password: String,
    pub task_timing: Millis,
    pub utc_offset: i32,
    pub tasks_kept: Option<i64>,
    pub reports_kept: i64,
    pub tenants: Vec<Tenant>,
    /// Of no tenant, but still protected.
    pub stray_machines: Vec<Machine>,
    pub security_center: SecurityCenter,
    pub tasks: Vec<Task>,
    pub orders: Vec<TaskOrder>,
    pub reports: Vec<StoredReport>,
    /// Administrators' passwords that came in, decoded.
    pub passwords: Vec<String>,
}

impl Installation {
    /// A server without tenants.
    pub fn new(config: &Config) -> Self {
        Self {
            dialect: config.dialect,
            clock: config.clock.clone(),
            random: Random::seeded(config.seed),
            password: config.password.clone(),
            task_timing: in_millis(config.task_timing),
            utc_offset: config.utc_offset,
            tasks_kept: config.tasks_kept.map(millis),
            reports_kept: millis(config.reports_kept),
            tenants: Vec::new(),
            stray_machines: Vec::new(),
            security_center: SecurityCenter::new(config.security_center),
            tasks: Vec::new(),
            orders: Vec::new(),
            reports: Vec::new(),
            passwords: Vec::new(),
        }
    }

    /// The tenant with that identifier, in any letter case, if calls may see it.
    pub fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.visible().find(|tenant| tenant.id.eq_ignore_ascii_case(id))
    }

    pub fn tenant_mut(&mut self, id: &str) -> Option<&mut Tenant> {
        let early = self.dialect.lists_early;
        self.tenants
            .iter_mut()
            .find(|tenant| (tenant.finished || early) && tenant.id.eq_ignore_ascii_case(id))
    }

    /// The tenants that calls may see.
    pub fn visible(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().filter(|tenant| tenant.finished || self.dialect.lists_early)
    }
}

fn in_millis(task_timing: TaskTiming) -> Millis {
    Millis {
        waiting: millis(task_timing.waiting),
        stage: millis(task_timing.stage),
        stopping: millis(task_timing.stopping),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
