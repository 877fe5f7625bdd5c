//! What an operation has asked already.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use super::route::RouteKey;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};

type Key = (RouteKey, String, TypeId);
type Asked = Arc<OnceCell<Result<Arc<dyn Any + Send + Sync>>>>;

/// The objects that were asked for.
#[derive(Default)]
pub(super) struct Once {
    asked: Mutex<HashMap<Key, Asked>>,
    shared: Mutex<HashMap<Key, Shared>>,
}

/// What is kept by those alone who wait for it, or hold it.
#[derive(Default)]
struct Shared {
    asked: Weak<OnceCell<Result<Arc<dyn Any + Send + Sync>>>>,
    found: Option<Weak<dyn Any + Send + Sync>>,
}

impl Once {
    /// Asks, unless it was asked before or is being asked; then waits for that.
    pub(super) async fn ask<T, F>(
        &self,
        key: (RouteKey, String),
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let key = (key.0, key.1, TypeId::of::<T>());
        let asked = self
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_default()
            .clone();
        let found = asked.get_or_init(|| async {
            ask().await.map(|found| Arc::new(found) as Arc<dyn Any + Send + Sync>)
        });
        downcast(found.await.clone()?)
    }

    /// Asks, unless it is being asked or somebody still holds what was found.
    pub(super) async fn share<T, F>(
        &self,
        key: (RouteKey, String),
        ask: impl FnOnce() -> F,
    ) -> Result<Arc<T>>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T>>,
    {
        let key = (key.0, key.1, TypeId::of::<T>());
        let asked = {
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = shared.entry(key.clone()).or_default();
            if let Some(found) = entry.found.as_ref().and_then(Weak::upgrade) {
                return downcast(found);
            }
            let asked = entry.asked.upgrade().unwrap_or_default();
            *entry = Shared { asked: Arc::downgrade(&asked), found: None };
            asked
        };
        let found = asked.get_or_init(|| async {
            ask().await.map(|found| Arc::new(found) as Arc<dyn Any + Send + Sync>)
        });
        let found = found.await.clone()?;
        if let Some(entry) =
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&key)
        {
            entry.found = Some(Arc::downgrade(&found));
        }
        downcast(found)
    }

    /// What was asked of an installation before a change there is not true any more.
    pub(super) fn forget(&self, tenant: TenantId, upstream: UpstreamId) {
        let stays = |(route, _, _): &Key| (route.tenant, route.upstream) != (tenant, upstream);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| stays(key));
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| stays(key));
    }
}

fn downcast<T: Send + Sync + 'static>(found: Arc<dyn Any + Send + Sync>) -> Result<Arc<T>> {
    found.downcast().map_err(|_| Error::internal("an object was asked for as two things"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::Identity;
    use super::*;

    fn key() -> (RouteKey, String) {
        let tenant = TenantId(uuid::Uuid::nil());
        let upstream = UpstreamId(uuid::Uuid::nil());
        (
            RouteKey { tenant, upstream, revision: 1, identity: Identity("own".into()) },
            "computers".into(),
        )
    }

    #[tokio::test]
    async fn shared_object_is_asked_for_once_while_anybody_waits_for_it_or_holds_it() {
        let once = Once::default();
        let asked = AtomicUsize::new(0);
        let share = || {
            once.share(key(), async || {
                tokio::task::yield_now().await;
                Ok(asked.fetch_add(1, Ordering::SeqCst))
            })
        };
        let (one, other, third) = tokio::join!(share(), share(), share());
        let held = one.unwrap();
        assert!(Arc::ptr_eq(&held, &other.unwrap()) && Arc::ptr_eq(&held, &third.unwrap()));
        assert!(Arc::ptr_eq(&held, &share().await.unwrap()), "it is still held");
        drop(held);
        assert_eq!(*share().await.unwrap(), 1, "and let go with the last who held it");
    }

    #[tokio::test]
    async fn shared_object_is_asked_for_anew_after_a_write() {
        let once = Once::default();
        let held = once.share(key(), async || Ok(1)).await.unwrap();
        once.forget(key().0.tenant, key().0.upstream);
        assert_eq!((*held, *once.share(key(), async || Ok(2)).await.unwrap()), (1, 2));
    }
}
