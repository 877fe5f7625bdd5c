//! Who goes on with a task: one node at a time.

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
use crate::integration_server::tasks::entity::task;
use crate::integration_server::tasks::model::TaskRecord;

/// How long a node that says nothing more keeps its tasks, by the database's clock. It says so
/// every second.
pub const LEASE: Duration = Duration::from_secs(5);

/// After so long a node stops taking tasks, to renew the leases of those that it has.
const CLAIM_TIME_MAX: Duration = Duration::from_secs(1);

/// How many tasks a node takes at one time.
const CLAIM_BATCH: usize = 200;

/// The tasks that something on this node works on, and until when no other node takes them, where
/// that is known.
#[derive(Clone, Default)]
pub(super) struct ClaimSet(Arc<Mutex<HashMap<TaskId, Option<Instant>>>>);

/// That one of them is; ends when dropped.
pub(super) struct Claim {
    all: ClaimSet,
    pub(super) id: TaskId,
}

/// A record that its holder alone works on, on this node.
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
    /// Notes that the lease was written after `asked`, so that it lasts at least so long after
    /// that.
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
    /// Keeps the tasks that this node works on, for another [`LEASE`].
    ///
    /// # Errors
    /// If the database refuses.
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
            // Those that were let go meanwhile are not in hand any more.
            if let Some(until) = all.get_mut(&id) {
                *until = Some(asked + LEASE);
            }
        }
        Ok(())
    }

    /// Takes tasks that no node works on.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn claim_available(&self) -> Result<Vec<ClaimedTask>> {
        let began = Instant::now();
        let now = self.database.now().await?;
        // Those in hand are free to this node too.
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
            // What it was when it was read may be over.
            let record = task::Entity::held(id, self.node).one(write.on()).await?;
            Ok((asked, record.filter(|_| taken.rows_affected == 1)))
        };
        let (asked, record) = self.database.transaction(take).await?;
        claim.set_lease(asked);
        Ok(record.map(|record| ClaimedTask { record, _claim: claim }))
    }

    /// Gives every task back, for other nodes to take at once.
    ///
    /// # Errors
    /// If the database refuses; then others wait until the leases are over.
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

    /// Whether this node may still take a task for its own. A clock that is set back or forward
    /// does not change it.
    pub fn holds_lease(&self, id: TaskId) -> bool {
        self.claims.all().get(&id).copied().flatten().is_some_and(|until| Instant::now() < until)
    }
}
