//! What an operation has asked already.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::line::LineKey;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};

type Key = (LineKey, String, TypeId);
type Asked = Arc<OnceCell<Result<Arc<dyn Any + Send + Sync>>>>;

/// The objects that were asked for.
#[derive(Default)]
pub(super) struct Once(Mutex<HashMap<Key, Asked>>);

impl Once {
    /// Asks, unless it was asked before or is being asked; then waits for that.
    pub(super) async fn ask<T, F>(&self, key: (LineKey, String), ask: impl FnOnce() -> F) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let key = (key.0, key.1, TypeId::of::<T>());
        let asked = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        let found =
            asked.get_or_init(|| async { ask().await.map(|found| Arc::new(found) as Arc<dyn Any + Send + Sync>) });
        let found = found.await.clone()?;
        found.downcast().map_err(|_| Error::internal("an object was asked for as two things"))
    }

    /// What was asked of an installation before a change there is not true any more.
    pub(super) fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|(line, _, _), _| (line.tenant, line.upstream) != (tenant, upstream));
    }
}
