//! Progress of tasks over time, and their cancellation (reference, section 4).

use super::installation::Installation;
use super::task::{Fate, Outcome, State, Task};

impl Installation {
    /// Brings every task up to the present moment, in the order of events.
    pub fn settle(&mut self) {
        let now = self.clock.now();
        let next = |tasks: &[Task]| {
            let due = tasks
                .iter()
                .enumerate()
                .filter_map(|(place, task)| Some((task.due.filter(|due| *due <= now)?, place)));
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
                task.due =
                    (task.fate != Some(Fate::NeverEnds)).then_some(at + self.task_timing.stage);
                return;
            }
            State::Running => return self.run_stage(task, at),
            State::Stopping => return self.stop(task, at),
            State::Completed | State::Failed | State::Canceled => task.due = None,
        }
        task.due = task.due.map(|_| at + self.task_timing.waiting);
    }

    fn run_stage(&mut self, task: &mut Task, at: i64) {
        let stage = task.stages[task.done];
        let carried_out = task.fails_now().map_or_else(|| self.carry_out(stage, task, at), Err);
        if let Err(error) = carried_out {
            return self.fail(task, error, at);
        }
        task.done += 1;
        task.changed = at;
        task.due = Some(at + self.task_timing.stage);
        if task.fate == Some(Fate::Ended) {
            self.abandon(task);
            task.end(
                State::Canceled,
                Outcome::Error("Ended by the system on viis-node-1.internal".to_owned()),
                at,
            );
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
        task.end(
            State::Canceled,
            Outcome::Error("Canceled by the user multitenancy".to_owned()),
            at,
        );
    }

    /// Cancels a task that has not ended: at once before it runs, else by way of Stopping.
    pub fn cancel(&mut self, place: usize) {
        let now = self.clock.now();
        let mut task = self.tasks.remove(place);
        if matches!(task.state, State::Created | State::Queued)
            && task.fate != Some(Fate::OutrunsCancel)
        {
            self.stop(&mut task, now);
        } else if task.state != State::Stopping {
            task.enter(State::Stopping, now);
            task.due = Some(now + self.task_timing.stopping);
        }
        self.tasks.insert(place, task);
    }
}
