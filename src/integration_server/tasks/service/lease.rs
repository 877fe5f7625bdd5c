//! Leases: one node at a time works on a task.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::time::Instant;

use super::{BIND_MAX, Tasks};
use crate::database::Write;
use crate::error::Result;
use crate::ids::TaskId;
use crate::integration_server::tasks::TaskRecord;
use crate::integration_server::tasks::entity::task;

/// How long a node that no longer renews keeps its tasks, by the database's clock. Nodes renew
/// every second.
pub const LEASE: Duration = Duration::from_secs(5);

/// The longest that a node claims tasks before it renews its leases.
const CLAIM_TIME_MAX: Duration = Duration::from_secs(1);

/// The most tasks that a node claims at once.
const CLAIM_BATCH: usize = 200;

/// The tasks that this node works on, each with the end of its lease where that is known.
#[derive(Clone, Default)]
pub(super) struct ClaimSet(Arc<Mutex<HashMap<TaskId, Option<Instant>>>>);

/// The claim on one task; dropping it ends the claim.
pub(super) struct Claim {
    all: ClaimSet,
    pub(super) id: TaskId,
}

/// A record with the claim on it: nothing else on this node works on the task.
pub struct ClaimedTask {
    /// The record.
    pub record: TaskRecord,
    pub(super) _claim: Claim,
}

impl ClaimSet {
    pub(super) fn add(&self, id: TaskId) -> Claim {
        self.all().insert(id, None);
        Claim { all: self.clone(), id }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<TaskId, Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Records a lease that was written after `asked`; it lasts at least [`LEASE`] from then on.
    pub(super) fn set_lease(&self, asked: Instant) {
        self.all.all().insert(self.id, Some(asked + LEASE));
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.all.all().remove(&self.id);
    }
}

impl Tasks {
    /// Renews the leases of this node's tasks for another [`LEASE`].
    ///
    /// # Errors
    /// If the database fails.
    pub async fn renew(&self) -> Result<()> {
        let held: Vec<TaskId> = self.claims.all().keys().copied().collect();
        if held.is_empty() {
            return Ok(());
        }
        let renew = async |write: Arc<Write<'_>>| {
            let asked = Instant::now();
            let until = write.now().await?.plus(LEASE);
            for some in held.chunks(BIND_MAX) {
                task::Entity::update_many()
                    .col_expr(task::Column::LeaseUntil, Expr::val(until))
                    .filter(task::Column::LeaseOwner.eq(self.node))
                    .filter(task::Column::Id.is_in(some.iter().copied()))
                    .exec(write.on())
                    .await?;
            }
            Ok(asked)
        };
        let asked = self.database.transaction(renew).await?;
        let mut all = self.claims.all();
        for id in held {
            // Claims that were dropped meanwhile are gone from the map.
            if let Some(until) = all.get_mut(&id) {
                *until = Some(asked + LEASE);
            }
        }
        Ok(())
    }

    /// Claims tasks that no node works on.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn claim_available(&self) -> Result<Vec<ClaimedTask>> {
        let began = Instant::now();
        let now = self.database.now().await?;
        // The query also returns this node's own tasks.
        let most = (self.claims.all().len() + CLAIM_BATCH) as u64;
        let free = task::Entity::free(self.node, now).select_only().column(task::Column::Id);
        let free = free.order_by_asc(task::Column::LeaseUntil).limit(most).into_tuple::<TaskId>();
        let mut taken = Vec::new();
        for id in free.all(self.database.reader()).await? {
            if taken.len() == CLAIM_BATCH || began.elapsed() > CLAIM_TIME_MAX {
                break;
            }
            if self.claims.all().contains_key(&id) {
                continue;
            }
            if let Some(begun) = self.claim_one(id).await? {
                taken.push(begun);
            }
        }
        Ok(taken)
    }

    async fn claim_one(&self, id: TaskId) -> Result<Option<ClaimedTask>> {
        let claim = self.claims.add(id);
        let take = async |write: Arc<Write<'_>>| {
            let asked = Instant::now();
            let now = write.now().await?;
            let until = now.plus(LEASE);
            let taken = task::Entity::update_many()
                .col_expr(task::Column::LeaseOwner, Expr::val(Some(self.node)))
                .col_expr(task::Column::LeaseUntil, Expr::val(until))
                .filter(task::Column::Id.eq(id))
                .filter(task::is_free(self.node, now))
                .exec(write.on())
                .await?;
            // The record may have changed since the list was read.
            let record = task::Entity::held(id, self.node).one(write.on()).await?;
            Ok((asked, record.filter(|_| taken.rows_affected == 1)))
        };
        let (asked, record) = self.database.transaction(take).await?;
        claim.set_lease(asked);
        Ok(record.map(|record| ClaimedTask { record, _claim: claim }))
    }

    /// Releases every task, so that other nodes can claim them at once.
    ///
    /// # Errors
    /// If the database fails; other nodes then wait until the leases expire.
    pub async fn release_leases(&self) -> Result<()> {
        self.claims.all().values_mut().for_each(|until| *until = None);
        let release = async |write: Arc<Write<'_>>| {
            task::Entity::update_many()
                .col_expr(task::Column::LeaseOwner, Expr::val(Option::<uuid::Uuid>::None))
                .filter(task::Column::LeaseOwner.eq(self.node))
                .exec(write.on())
                .await?;
            Ok(())
        };
        self.database.transaction(release).await
    }

    /// Whether this node still has the lease of a task. Changes of the system clock have no effect.
    pub fn holds_lease(&self, id: TaskId) -> bool {
        self.claims.all().get(&id).copied().flatten().is_some_and(|until| Instant::now() < until)
    }
}
