//! The state: the server's database, the tasks, the reports, and Security Center beside them.

use std::time::Duration;

use super::config::{Config, TaskTiming, TenantKind};
use super::dialect::Dialect;
use super::report::{Period, StoredReport};
use super::security_center::SecurityCenter;
use super::task::{Fate, State, Task, TaskKind};
use super::work::Work;
use super::{calls, seeding};
use crate::answer::{Answer, BodyFormat};
use crate::clock::Clock;
use crate::host::Console;
use crate::random::Random;
use crate::request::Request;

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
    /// A server with the tenants of `config`.
    pub fn new(config: &Config) -> Self {
        let mut installation = Self {
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
        };
        for seed in &config.tenants {
            seeding::plant(&mut installation, seed);
        }
        installation
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

    /// Starts a task and gives its identifier.
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

impl Console for Installation {
    const BASE: &'static str = "/api/2.0/virtualization";
    const FORMAT: BodyFormat = BodyFormat::Xml;

    /// The tenant that the path or the query names: one account serves all.
    fn tenant(&self, request: &Request) -> Option<String> {
        let named = match request.segments().as_slice() {
            ["tenants", id, ..] => Some((*id).to_owned()),
            _ => request.parameters().find(|(name, _)| name == "tenantId").map(|(_, id)| id),
        };
        named.map(|id| id.to_lowercase())
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.settle();
        calls::carry_out(self, request).unwrap_or_else(|refusal| refusal.answer(&self.dialect))
    }
}
