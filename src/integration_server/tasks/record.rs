//! The record of a task, and the texts in it as types.

use super::model::{Phase, Purpose, Snapshot};
use crate::error::{Error, Result};

pub use super::entity::task::Model as TaskRecord;

impl TaskRecord {
    /// The purpose of the task.
    ///
    /// # Errors
    /// If the database holds a name that this version does not know.
    pub fn purpose(&self) -> Result<Purpose> {
        let known = Purpose::ALL.into_iter().find(|known| known.as_str() == self.kind);
        known.ok_or_else(|| Error::internal(format!("unknown task purpose `{}`", self.kind)))
    }

    /// The task as the server last reported it; `None` before the first report.
    ///
    /// # Errors
    /// If the stored text is not a snapshot.
    pub fn last_snapshot(&self) -> Result<Option<Snapshot>> {
        self.snapshot.as_deref().map(Snapshot::from_json).transpose()
    }

    /// Whether the gateway expects no further change of the task.
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended.as_str()
    }
}
