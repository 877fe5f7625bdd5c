//! Fair shares of the database: how many statements that read, and how many transactions that
//! write, one tenant and one client of it may have under way at once.
//!
//! The connection pool and the queue of writers are first come, first served. Without a limit per
//! caller, one that reads a thousand rows in a thousand statements would delay all others.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::ids::TenantId;

/// Unused semaphores are removed whenever this many more have been created.
const PRUNE_EVERY: usize = 1024;

/// For whom statements are run: a tenant, and the client that calls in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Borrower {
    /// The tenant in context.
    pub tenant: TenantId,
    /// The client.
    pub client: Uuid,
}

tokio::task_local! {
    static BORROWER: Borrower;
}

/// Runs work whose statements count against the share of that borrower. Statements outside of any
/// such work, those of the gateway's own jobs, are not counted.
pub async fn on_behalf_of<F: Future>(borrower: Borrower, work: F) -> F::Output {
    BORROWER.scope(borrower, work).await
}

/// Work for a task of its own, whose statements count against the share of the current borrower.
pub fn for_same_borrower<F>(work: F) -> impl Future<Output = F::Output> + Send
where
    F: Future + Send,
{
    let borrower = BORROWER.try_with(|borrower| *borrower).ok();
    async move {
        match borrower {
            Some(borrower) => on_behalf_of(borrower, work).await,
            None => work.await,
        }
    }
}

/// Shares of one resource.
pub struct FairPermits {
    clients: Semaphores<Borrower>,
    tenants: Semaphores<TenantId>,
}

/// A permit of the current borrower, released on drop.
pub struct FairPermit {
    _permits: Option<[OwnedSemaphorePermit; 2]>,
}

impl FairPermits {
    /// At most `of_tenant` permits at once for one tenant, and `of_client` for one client of it.
    pub fn new(of_tenant: usize, of_client: usize) -> Self {
        Self { clients: Semaphores::new(of_client), tenants: Semaphores::new(of_tenant) }
    }

    /// Waits for a permit of the current borrower; returns at once if there is none.
    pub async fn acquire(&self) -> FairPermit {
        let Ok(borrower) = BORROWER.try_with(|borrower| *borrower) else {
            return FairPermit { _permits: None };
        };
        // The client first: its statements queue among themselves, and at the tenant each client
        // has a few.
        let client = self.clients.acquire(borrower).await;
        let tenant = self.tenants.acquire(borrower.tenant).await;
        FairPermit { _permits: client.zip(tenant).map(|(client, tenant)| [client, tenant]) }
    }
}

/// A semaphore for each key that is in use.
struct Semaphores<K> {
    permits: usize,
    known: Mutex<Known<K>>,
}

struct Known<K> {
    semaphores: HashMap<K, Weak<Semaphore>>,
    prune_at: usize,
}

impl<K: Copy + Eq + Hash> Semaphores<K> {
    fn new(permits: usize) -> Self {
        let known = Known { semaphores: HashMap::new(), prune_at: PRUNE_EVERY };
        Self { permits, known: Mutex::new(known) }
    }

    /// A permit. The semaphore is never closed.
    async fn acquire(&self, key: K) -> Option<OwnedSemaphorePermit> {
        self.of(key).acquire_owned().await.ok()
    }

    fn of(&self, key: K) -> Arc<Semaphore> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = known.semaphores.get(&key).and_then(Weak::upgrade) {
            return semaphore;
        }
        if known.semaphores.len() >= known.prune_at {
            known.semaphores.retain(|_, semaphore| semaphore.strong_count() > 0);
            known.prune_at = known.semaphores.len() + PRUNE_EVERY;
        }
        let semaphore = Arc::new(Semaphore::new(self.permits));
        known.semaphores.insert(key, Arc::downgrade(&semaphore));
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn borrower(tenant: u128, client: u128) -> Borrower {
        Borrower { tenant: TenantId(Uuid::from_u128(tenant)), client: Uuid::from_u128(client) }
    }

    fn try_acquire(permits: &FairPermits, borrower: Borrower) -> Option<FairPermit> {
        on_behalf_of(borrower, permits.acquire()).now_or_never()
    }

    #[test]
    fn client_and_tenant_have_shares_and_neighbours_have_their_own() {
        let permits = FairPermits::new(3, 2);
        let first = try_acquire(&permits, borrower(1, 1)).unwrap();
        let second = try_acquire(&permits, borrower(1, 1)).unwrap();
        assert!(try_acquire(&permits, borrower(1, 1)).is_none(), "the client has its share");
        let third = try_acquire(&permits, borrower(1, 2)).unwrap();
        assert!(try_acquire(&permits, borrower(1, 3)).is_none(), "the tenant has its share");
        assert!(try_acquire(&permits, borrower(2, 1)).is_some(), "another tenant is free");
        drop((first, second, third));
        assert!(try_acquire(&permits, borrower(1, 3)).is_some());
    }

    #[test]
    fn work_without_borrower_is_not_counted() {
        let permits = FairPermits::new(1, 1);
        let held: Vec<_> = (0..3).map(|_| permits.acquire().now_or_never().unwrap()).collect();
        assert_eq!(held.len(), 3);
    }

    #[tokio::test]
    async fn task_of_its_own_counts_for_the_same_borrower() {
        let permits = Arc::new(FairPermits::new(1, 1));
        let _held = try_acquire(&permits, borrower(1, 1)).unwrap();
        let spawned = on_behalf_of(borrower(1, 1), async {
            let permits = permits.clone();
            let acquire = async move { permits.acquire().now_or_never().is_some() };
            tokio::spawn(for_same_borrower(acquire)).await.unwrap()
        });
        assert!(!spawned.await);
    }

    #[test]
    fn unused_semaphores_are_removed() {
        let permits = FairPermits::new(1, 1);
        for tenant in 0..3 * PRUNE_EVERY as u128 {
            try_acquire(&permits, borrower(tenant, 1)).unwrap();
        }
        assert!(permits.tenants.known.lock().unwrap().semaphores.len() <= PRUNE_EVERY + 1);
    }
}
