//! The last steps of a transaction: statements that take locks for which other transactions wait,
//! run right before the commit so that they hold these locks as shortly as possible.

use std::any::Any;

use futures_util::future::BoxFuture;
use sea_orm::DatabaseTransaction;

use super::Monitored;
use crate::error::Result;

/// A transaction, as statements and [`LastStep`]s run on it.
pub type Transaction = Monitored<DatabaseTransaction>;

/// A step that a transaction runs right before its commit. An attempt that is rolled back, also to
/// be repeated after a conflict, drops it without running it.
pub trait LastStep: Any + Send {
    /// Runs the step.
    ///
    /// # Errors
    /// If the database refuses: the transaction is then rolled back.
    fn run(self: Box<Self>, on: &Transaction) -> BoxFuture<'_, Result<()>>;
}

/// The last steps of one transaction, at most one of a type.
pub(super) type LastSteps = Vec<Box<dyn LastStep>>;

impl Transaction {
    /// Changes the last step of that type, which is added if the transaction has none yet.
    pub async fn last_step<S: LastStep + Default, T>(&self, change: impl FnOnce(&mut S) -> T) -> T {
        let mut steps = self.last_steps().lock().await;
        let present = steps.iter_mut().find_map(|step| {
            let step: &mut dyn Any = &mut **step;
            step.downcast_mut::<S>()
        });
        if let Some(step) = present {
            return change(step);
        }
        let mut step = S::default();
        let changed = change(&mut step);
        steps.push(Box::new(step));
        changed
    }

    /// Runs the steps in the order in which they were added.
    pub(in crate::database) async fn run_last_steps(&self) -> Result<()> {
        let steps = std::mem::take(&mut *self.last_steps().lock().await);
        for step in steps {
            step.run(self).await?;
        }
        Ok(())
    }
}
