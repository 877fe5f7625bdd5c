//! Changes that may take access away.

use std::future::Future;
use std::sync::Arc;

use super::context::TenantScope;
use crate::database::{Database, Write};
use crate::error::Result;

impl TenantScope {
    /// Runs a change in one transaction, which is repeated after conflicts, and then invalidates
    /// the cached access of callers.
    ///
    /// # Errors
    /// As [`Database::transaction`].
    pub async fn change<'a, T, W>(
        &self,
        database: &'a Database,
        work: impl Fn(Arc<Write<'a>>) -> W,
    ) -> Result<T>
    where
        W: Future<Output = Result<T>>,
    {
        let changed = database.transaction(work).await?;
        self.forget_access();
        Ok(changed)
    }
}
