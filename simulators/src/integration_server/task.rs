//! Tasks: what they are, and how they go on with time (reference, section 4).

use serde::{Deserialize, Serialize};

use super::installation::{Installation, Tenant};
use super::stages::{Stage, Undo, Work};

/// The types of tasks that this API starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaskKind {
    CreateTenant,
    ChangeTenantActivation,
    DeleteTenant,
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

/// What is ordered to happen to a task.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", deny_unknown_fields)]
pub enum Fate {
    /// It fails with that code when so many stages are done, at most all but the last; creating and deleting are undone.
    Fails { code: String, after: usize },
    /// It stays in its first stage until it is canceled.
    NeverEnds,
    /// It is part of a larger task, which alone can be canceled.
    Child,
    /// It takes a cancel for accepted, and completes.
    OutrunsCancel,
    /// The system ends it after its first stage; nothing is undone.
    Ended,
    /// While it runs, its state has a name that no list has.
    InState { name: String },
}

impl Fate {
    /// Fails with that code when its last stage is about to end.
    pub fn fails(code: &str) -> Self {
        Self::Fails { code: code.to_owned(), after: usize::MAX }
    }
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

/// What a task came to.
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
    /// How many stages are behind it.
    pub done: usize,
    pub work: Work,
    pub undo: Vec<Undo>,
    /// When it goes on by itself.
    pub due: Option<i64>,
}

impl Task {
    /// How far it is, in percent.
    pub fn progress(&self, now: i64) -> f64 {
        let stages = self.stages.len().max(1) as f64;
        let begun = match self.due.filter(|due| self.state == State::Running && *due > self.changed) {
            Some(due) => ((now - self.changed) as f64 / (due - self.changed) as f64).clamp(0.0, 1.0),
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
        self.stages.get(self.done.min(last)).copied().filter(|_| self.done > 0 || self.state == State::Running)
    }

    fn enter(&mut self, state: State, at: i64) {
        (self.state, self.state_changed, self.changed) = (state, at, at);
    }

    fn end(&mut self, state: State, outcome: Outcome, at: i64) {
        self.enter(state, at);
        self.outcome = Some(outcome);
        self.due = None;
    }

    /// The fate of failing, if its stage has come.
    fn fails_now(&self) -> Option<String> {
        match &self.fate {
            Some(Fate::Fails { code, after }) if self.done >= (*after).min(self.stages.len() - 1) => Some(code.clone()),
            _ => None,
        }
    }
}

impl Installation {
    /// Brings every task up to the present moment, in the order of events.
    pub fn settle(&mut self) {
        let now = self.clock.now();
        let next = |tasks: &[Task]| {
            let due =
                tasks.iter().enumerate().filter_map(|(place, task)| Some((task.due.filter(|due| *due <= now)?, place)));
            due.min()
        };
        while let Some((at, place)) = next(&self.tasks) {
            // Taken out, so that its stages may change everything else.
            let mut task = self.tasks.remove(place);
            self.go_on(&mut task, at);
            self.tasks.insert(place, task);
        }
        if let Some(kept) = self.tasks_kept {
            self.tasks.retain(|task| !task.state.has_ended() || task.state_changed + kept > now);
        }
        self.reports.retain(|report| report.created + self.reports_kept > now);
    }

    fn go_on(&mut self, task: &mut Task, at: i64) {
        match task.state {
            State::Created => task.enter(State::Queued, at),
            State::Queued => task.enter(State::Starting, at),
            State::Starting => {
                task.enter(State::Running, at);
                task.due = (task.fate != Some(Fate::NeverEnds)).then_some(at + self.pace.stage);
                return;
            }
            State::Running => return self.run_stage(task, at),
            State::Stopping => return self.stop(task, at),
            State::Completed | State::Failed | State::Canceled => task.due = None,
        }
        task.due = task.due.map(|_| at + self.pace.waiting);
    }

    fn run_stage(&mut self, task: &mut Task, at: i64) {
        let stage = task.stages[task.done];
        let carried_out = task.fails_now().map_or_else(|| self.carry_out(stage, task, at), Err);
        if let Err(error) = carried_out {
            return self.fail(task, error, at);
        }
        task.done += 1;
        task.changed = at;
        task.due = Some(at + self.pace.stage);
        if task.fate == Some(Fate::Ended) {
            self.abandon(task);
            task.end(State::Canceled, Outcome::Error("Ended by the system on viis-node-1.internal".to_owned()), at);
        } else if task.done == task.stages.len() {
            let outcome = self.outcome(task);
            task.end(State::Completed, outcome, at);
        }
    }

    fn fail(&mut self, task: &mut Task, error: String, at: i64) {
        self.undo(task);
        task.end(State::Failed, Outcome::Error(error), at);
    }

    fn stop(&mut self, task: &mut Task, at: i64) {
        if task.fate == Some(Fate::OutrunsCancel) {
            task.enter(State::Running, at);
            while !task.state.has_ended() {
                self.run_stage(task, at);
            }
            return;
        }
        if self.dialect.cancel_undoes {
            self.undo(task);
        } else {
            self.abandon(task);
        }
        task.end(State::Canceled, Outcome::Error("Canceled by the user multitenancy".to_owned()), at);
    }

    /// Cancels a task that has not ended: at once before it runs, else by way of Stopping.
    pub fn cancel(&mut self, place: usize) {
        let now = self.clock.now();
        let mut task = self.tasks.remove(place);
        if matches!(task.state, State::Created | State::Queued) && task.fate != Some(Fate::OutrunsCancel) {
            self.stop(&mut task, now);
        } else if task.state != State::Stopping {
            task.enter(State::Stopping, now);
            task.due = Some(now + self.pace.stopping);
        }
        self.tasks.insert(place, task);
    }
}
