//! Writes and reads the audit log.

mod attempt;
mod batch;
mod entry;
mod export;
mod failures;
mod filter;
mod record;
mod retention;
mod roles_elsewhere;
mod verification;
mod verify;

use std::sync::Arc;

use futures_util::FutureExt;
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QuerySelect};
use tokio::sync::Mutex;

use super::entity::{Column, Entity, Model};
use crate::auth::TenantScope;
use crate::clock::Clock;
use crate::database::{Database, FairPermits, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::AuditId;
use crate::metrics::Metrics;

pub use attempt::Attempt;
pub use entry::{Ended, EndpointChange, Entry, Outcome, Refusal, is_recorded};
pub use export::Period;
pub use failures::FailedAuthentication;
pub use filter::{Filter, LegacyObject};
pub use record::{begin, record, record_ended};
pub use roles_elsewhere::{RoleChange, record_roles_elsewhere};
pub use verification::{BreakReason, ChainBreak, ChainPoint, Request, Verification};

use failures::FailureQueue;

/// The audit log.
pub struct Audit {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    metrics: Arc<Metrics>,
    failures: FailureQueue,
    // Held while a record is written for which no caller waits.
    unhurried: Mutex<()>,
    // Held while a page of a chain is hashed, so that verifications take one core at most.
    verifying: Mutex<()>,
    // One verification of a client, and one in a tenant, so that few wait for a turn at a page.
    verifying_each: FairPermits,
}

impl Audit {
    /// The log in that database.
    pub fn new(
        database: Arc<Database>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            database,
            clock,
            entropy,
            metrics,
            failures: FailureQueue::default(),
            unhurried: Mutex::new(()),
            verifying: Mutex::new(()),
            verifying_each: FairPermits::new(1, 1),
        }
    }

    /// Records a change at an endpoint outside the GraphQL API, in its own transaction.
    ///
    /// # Errors
    /// If the database refuses; the transaction must then not be committed.
    pub async fn record_change(&self, write: &Write<'_>, change: EndpointChange) -> Result<()> {
        record::record_change(write.on(), &*self.entropy, self.clock.now(), change).await
    }

    /// Records a refusal. If that fails, the failure is logged and the refusal stays in effect.
    pub async fn refused(&self, refusal: Refusal) {
        self.refused_all(vec![refusal]).await;
    }

    /// Records several refusals in one transaction.
    pub async fn refused_all(&self, refusals: Vec<Refusal>) {
        if refusals.is_empty() {
            return;
        }
        // Boxed: keeps the cold path out of the hot future's size.
        if let Err(error) = self.write_refusals(refusals).boxed().await {
            error.log_cause();
        }
    }

    /// Records a refusal for which no caller waits. Thousands of streams may end at once, each with
    /// a record: only one of them queues for the database at a time, so that a writer with a caller
    /// waits for one record and not for thousands.
    pub async fn refused_later(&self, refusal: Refusal) {
        let _guard = self.unhurried.lock().await;
        self.refused(refusal).await;
    }

    async fn write_refusals(&self, refusals: Vec<Refusal>) -> Result<()> {
        let at = self.clock.now();
        let records =
            refusals.into_iter().map(|refusal| record::refused(&*self.entropy, at, refusal));
        let records: Vec<_> = records.collect();
        let work = async |write: Arc<Write<'_>>| record::add(write.on(), records.clone()).await;
        self.database.transaction(work).await
    }

    /// A record about the tenant of the scope or one below it.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<Model> {
        let not_found = || Error::not_found("audit record");
        let id: AuditId = id.parse().map_err(|_| not_found())?;
        let found = Entity::of_tenant(scope).filter(Column::Id.eq(id));
        found.one(self.database.reader()).await?.ok_or_else(not_found)
    }

    /// Records about the tenant of the scope and all below it, newest first, older than `before`;
    /// one more than asked for, if there is one.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(
        &self,
        scope: &TenantScope,
        filter: &Filter,
        before: Option<i64>,
        count: u64,
    ) -> Result<Vec<Model>> {
        let mut select = filter.select(scope).limit(count + 1);
        if let Some(seq) = before {
            select = select.filter(Column::Seq.lt(seq));
        }
        Ok(select.all(self.database.reader()).await?)
    }

    /// How many records about the tenant of the scope and all below it there are.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn count(&self, scope: &TenantScope, filter: &Filter) -> Result<u64> {
        Ok(filter.select(scope).count(self.database.reader()).await?)
    }
}
