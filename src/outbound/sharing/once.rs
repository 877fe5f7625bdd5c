//! Objects that one operation reads only once.
//!
//! Not a [`SingleFlight`](super::SingleFlight): a resolver's future borrows from its operation, so
//! it cannot be handed to other callers; the first caller runs it and the others wait for the
//! value.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::outbound::route::RouteKey;

type Key = (RouteKey, String, TypeId);
type Value = Arc<dyn Any + Send + Sync>;
type Cell = OnceCell<Result<Value>>;

/// The objects that an operation has read, or is reading.
#[derive(Default)]
pub(in crate::outbound) struct Once {
    kept: Mutex<HashMap<Key, Arc<Cell>>>,
    shared: Mutex<HashMap<Key, Shared>>,
}

/// A read that concurrent callers share: its result is dropped with the last caller that waits for
/// it or holds it.
#[derive(Default)]
struct Shared {
    reading: Weak<Cell>,
    value: Option<Weak<dyn Any + Send + Sync>>,
}

impl Once {
    /// Returns the object of this key; reads it on the first call and keeps it for the operation.
    pub(in crate::outbound) async fn get<T, F>(
        &self,
        key: (RouteKey, String),
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let key = (key.0, key.1, TypeId::of::<T>());
        let cell = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.entry(key).or_default().clone()
        };
        let value = cell.get_or_init(|| async { read().await.map(erase) });
        downcast(value.await.clone()?)
    }

    /// Returns the object of this key; reads it unless a caller is reading it or still holds it.
    pub(in crate::outbound) async fn share<T, F>(
        &self,
        key: (RouteKey, String),
        read: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let key = (key.0, key.1, TypeId::of::<T>());
        let cell = {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = shared.entry(key.clone()).or_default();
            if let Some(value) = entry.value.as_ref().and_then(Weak::upgrade) {
                return downcast(value);
            }
            let cell = entry.reading.upgrade().unwrap_or_default();
            *entry = Shared { reading: Arc::downgrade(&cell), value: None };
            cell
        };
        let value = cell.get_or_init(|| async { read().await.map(erase) });
        let value = value.await.clone()?;
        if let Some(entry) =
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&key)
        {
            entry.value = Some(Arc::downgrade(&value));
        }
        downcast(value)
    }

    /// Forgets the tenant's reads at an installation, before a change there.
    pub(in crate::outbound) fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        let stays = |(route, _, _): &Key| (route.tenant, route.upstream) != (tenant, upstream);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| stays(key));
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| stays(key));
    }
}

fn erase<T: Send + Sync + 'static>(value: T) -> Value {
    Arc::new(value)
}

fn downcast<T: Send + Sync + 'static>(value: Value) -> Result<Arc<T>> {
    value.downcast().map_err(|_| Error::internal("one key stands for values of two types"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::outbound::Identity;

    fn key() -> (RouteKey, String) {
        let tenant = TenantId(uuid::Uuid::nil());
        let upstream = UpstreamId(uuid::Uuid::nil());
        (
            RouteKey { tenant, upstream, revision: 1, identity: Identity::new("own") },
            "computers".into(),
        )
    }

    #[tokio::test]
    async fn shared_object_is_read_once_while_a_caller_waits_for_it_or_holds_it() {
        let once = Once::default();
        let reads = AtomicUsize::new(0);
        let share = || {
            once.share(key(), async || {
                tokio::task::yield_now().await;
                Ok(reads.fetch_add(1, Ordering::SeqCst))
            })
        };
        let (one, other, third) = tokio::join!(share(), share(), share());
        let held = one.unwrap();
        assert!(Arc::ptr_eq(&held, &other.unwrap()) && Arc::ptr_eq(&held, &third.unwrap()));
        assert!(Arc::ptr_eq(&held, &share().await.unwrap()), "the object is still held");
        drop(held);
        assert_eq!(*share().await.unwrap(), 1, "the object was dropped with its last holder");
    }

    #[tokio::test]
    async fn shared_object_is_read_again_after_a_write() {
        let once = Once::default();
        let held = once.share(key(), async || Ok(1)).await.unwrap();
        once.forget(key().0.tenant, key().0.upstream);
        assert_eq!((*held, *once.share(key(), async || Ok(2)).await.unwrap()), (1, 2));
    }
}
