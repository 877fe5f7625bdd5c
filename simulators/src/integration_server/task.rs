//! Tasks (reference, section 4).

use serde::{Deserialize, Serialize};

use super::objects::Tenant;
use super::work::{Stage, Undo, Work};

/// The types of tasks that this API starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskKind {
    /// Creates a tenant.
    CreateTenant,
    /// Activates or deactivates a tenant.
    ChangeTenantActivation,
    /// Deletes a tenant.
    DeleteTenant,
    /// Creates a report on protection periods.
    CreateTenantReport,
}

impl TaskKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateTenant => "CreateTenant",
            Self::ChangeTenantActivation => "ChangeTenantActivation",
            Self::DeleteTenant => "DeleteTenant",
            Self::CreateTenantReport => "CreateTenantReport",
        }
    }
}

/// The fate that a test orders for a task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Fate {
    /// It fails with that code after the given number of stages, at most all but the last, and is
    /// then rolled back.
    Fails {
        /// The code of the error.
        code: String,
        /// The number of completed stages.
        #[serde(default = "all_but_the_last")]
        after: usize,
    },
    /// It stays in its first stage until it is canceled.
    NeverEnds,
    /// It is part of a larger task, which alone can be canceled.
    Child,
    /// It takes a cancel for accepted, and completes.
    OutrunsCancel,
    /// The system ends it after its first stage; nothing is undone.
    Ended,
    /// While it runs, its state has a name that no list has.
    InState {
        /// The name of the state.
        name: String,
    },
}

impl Fate {
    /// Fails with that code when its last stage is about to end.
    pub fn fails(code: &str) -> Self {
        Self::Fails { code: code.to_owned(), after: all_but_the_last() }
    }
}

fn all_but_the_last() -> usize {
    usize::MAX
}

/// A state; the names are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Created,
    Queued,
    Starting,
    Running,
    Stopping,
    Completed,
    Failed,
    Canceled,
}

impl State {
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

/// The outcome of a task.
#[derive(Clone)]
pub(crate) enum Outcome {
    Tenant(Box<Tenant>),
    Confirmation,
    Report(String),
    Error(String),
}

/// A task.
pub(crate) struct Task {
    pub id: String,
    pub kind: String,
    pub created: i64,
    pub state_changed: i64,
    pub changed: i64,
    pub state: State,
    pub outcome: Option<Outcome>,
    pub fate: Option<Fate>,
    pub stages: Vec<Stage>,
    /// The number of completed stages.
    pub done: usize,
    pub work: Work,
    pub undo: Vec<Undo>,
    /// When it continues by itself.
    pub due: Option<i64>,
}

impl Task {
    /// How far it is, in percent.
    pub fn progress(&self, now: i64) -> f64 {
        let stages = self.stages.len().max(1) as f64;
        let begun = match self.due.filter(|due| self.state == State::Running && *due > self.changed)
        {
            Some(due) => {
                ((now - self.changed) as f64 / (due - self.changed) as f64).clamp(0.0, 1.0)
            }
            None => 0.0,
        };
        match self.state {
            State::Completed => 100.0,
            _ => (self.done as f64 + begun).min(stages) / stages * 100.0,
        }
    }

    /// The stage it is in.
    pub fn stage(&self) -> Option<Stage> {
        let last = self.stages.len().checked_sub(1)?;
        self.stages
            .get(self.done.min(last))
            .copied()
            .filter(|_| self.done > 0 || self.state == State::Running)
    }

    pub fn enter(&mut self, state: State, at: i64) {
        (self.state, self.state_changed, self.changed) = (state, at, at);
    }

    pub fn end(&mut self, state: State, outcome: Outcome, at: i64) {
        self.enter(state, at);
        self.outcome = Some(outcome);
        self.due = None;
    }

    /// The fate of failing, if its stage has come.
    pub fn fails_now(&self) -> Option<String> {
        match &self.fate {
            Some(Fate::Fails { code, after })
                if self.done >= (*after).min(self.stages.len() - 1) =>
            {
                Some(code.clone())
            }
            _ => None,
        }
    }
}
