//! The configuration and the initial contents of a simulator.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::dialect::Dialect;
use super::objects::TenantKind;
use crate::clock::Clock;

/// How long tasks take, by the simulator's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskTiming {
    /// In each of the states Created, Queued and Starting.
    pub waiting: Duration,
    /// For each stage while Running: one for a Simple tenant, six for a Complete one.
    pub stage: Duration,
    /// In the state Stopping.
    pub stopping: Duration,
}

impl TaskTiming {
    /// The same for all.
    pub const fn of(duration: Duration) -> Self {
        Self { waiting: duration, stage: duration, stopping: duration }
    }
}

impl Default for TaskTiming {
    /// 5 ms for all.
    fn default() -> Self {
        Self::of(Duration::from_millis(5))
    }
}

/// A tenant that is there at the start.
#[derive(Clone, Debug)]
pub struct TenantSeed {
    pub(crate) name: String,
    pub(crate) kind: TenantKind,
    pub(crate) description: Option<String>,
    pub(crate) user_data: Option<String>,
    pub(crate) active: bool,
    pub(crate) machines: usize,
}

impl TenantSeed {
    /// An active Complete tenant without machines. Its administrator is `<name in lower case, with
    /// hyphens>-admin`.
    pub fn complete(name: &str) -> Self {
        let description = None;
        let user_data = None;
        Self {
            name: name.to_owned(),
            kind: TenantKind::Complete,
            description,
            user_data,
            active: true,
            machines: 0,
        }
    }

    /// An active Simple tenant without machines.
    pub fn simple(name: &str) -> Self {
        Self { kind: TenantKind::Simple, ..Self::complete(name) }
    }

    /// Sets the description.
    #[must_use]
    pub fn description(self, text: &str) -> Self {
        Self { description: Some(text.to_owned()), ..self }
    }

    /// Sets the user data.
    #[must_use]
    pub fn user_data(self, text: &str) -> Self {
        Self { user_data: Some(text.to_owned()), ..self }
    }

    /// With the status `Inactive`.
    #[must_use]
    pub fn inactive(self) -> Self {
        Self { active: false, ..self }
    }

    /// The number of machines, named `web-01`, `web-02` and so on; each has been protected for a
    /// week, with a gap.
    #[must_use]
    pub fn machines(self, machines: usize) -> Self {
        Self { machines, ..self }
    }
}

/// The configuration of a simulator. No `Debug`, since it holds the password.
#[derive(Clone)]
pub struct Config {
    /// The address to listen on: any free port of 127.0.0.1 by default.
    pub listen: SocketAddr,
    /// Decides every identifier.
    pub seed: u64,
    /// The clock that tasks and reports go by.
    pub clock: Clock,
    /// The readings of open questions.
    pub dialect: Dialect,
    /// Of the account `multitenancy`.
    pub password: String,
    /// The duration of tasks.
    pub task_timing: TaskTiming,
    /// The server's zone, in minutes east of UTC. The wire's dates are in it.
    pub utc_offset: i32,
    /// Whether the connection to Security Center is set up; without it `KSC_ServiceNotConfigured`.
    pub security_center: bool,
    /// How long tasks are kept after their end; `None` for ever.
    pub tasks_kept: Option<Duration>,
    /// How long reports are kept: 24 hours by default (reference, R2).
    pub reports_kept: Duration,
    /// Whether `/_control` answers.
    pub control: bool,
    /// The tenants at the start.
    pub tenants: Vec<TenantSeed>,
}

impl Default for Config {
    /// A server without tenants, whose password holds a colon and quotes, as it may.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            clock: Clock::system(),
            dialect: Dialect::default(),
            password: "Integration:\"Server\"1".to_owned(),
            task_timing: TaskTiming::default(),
            utc_offset: 0,
            security_center: true,
            tasks_kept: None,
            reports_kept: Duration::from_hours(24),
            control: false,
            tenants: Vec::new(),
        }
    }
}

impl Config {
    /// One tenant more.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantSeed) -> Self {
        self.tenants.push(tenant);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the dialect.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// Sets the duration of tasks.
    #[must_use]
    pub fn task_timing(self, task_timing: TaskTiming) -> Self {
        Self { task_timing, ..self }
    }

    /// Sets the password of the account `multitenancy`.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        Self { password: password.to_owned(), ..self }
    }
}
