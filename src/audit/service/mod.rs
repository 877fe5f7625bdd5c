//! Writes and reads the audit log.

mod attempt;
mod failures;
mod retention;
mod roles_elsewhere;

use std::sync::Arc;

use futures_util::FutureExt;
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    PaginatorTrait, QueryFilter, QuerySelect, Select,
};
use serde_json::Value;
use tokio::sync::Mutex;

use super::entity::{ActiveModel, Column, Entity, Model};
use crate::auth::{RequestId, TenantScope};
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{AuditId, TenantId};

pub use attempt::Attempt;
pub use failures::FailedAuthentication;
pub use retention::Period;
pub use roles_elsewhere::{RoleChange, record_roles_elsewhere};

use failures::FailureQueue;

/// Records in one statement: PostgreSQL and SQLite limit the number of its parameters.
const WRITTEN_AT_ONCE: usize = 100;

/// A change to record.
#[derive(Clone)]
pub struct Entry {
    /// The name of the mutation.
    pub operation: &'static str,
    /// The tenant acted upon.
    pub tenant: TenantId,
    /// The id of the object acted upon.
    pub subject: String,
    /// The state before the change; `None` if it is new. Never a secret.
    pub before: Option<Value>,
    /// The state after the change; `None` if it is gone. Never a secret.
    pub after: Option<Value>,
}

/// A change that a client made at an endpoint outside the GraphQL API.
#[derive(Clone)]
pub struct EndpointChange {
    /// The UUID of the client.
    pub actor: String,
    /// The client's own tenant, in which the change happened.
    pub tenant: TenantId,
    /// The name of the endpoint.
    pub operation: &'static str,
    /// The id of the object acted upon.
    pub subject: String,
    /// The id of the request.
    pub request_id: RequestId,
}

/// An operation that was refused, or whose outcome is unknown.
pub struct Refusal {
    /// The actor.
    pub actor: String,
    /// The actor's own tenant, if known.
    pub acting_tenant: Option<TenantId>,
    /// The tenant of the operation.
    pub tenant: TenantId,
    /// The name of the mutation, query or endpoint.
    pub operation: String,
    /// The id of the object, if the rest of the record does not tell it.
    pub subject: Option<String>,
    /// [`Outcome::Refused`] or [`Outcome::Unknown`].
    pub outcome: Outcome,
    /// The error code of the response.
    pub code: &'static str,
    /// The reason that the response does not show.
    pub reason: Option<&'static str>,
    /// The number of refusals that the record counts.
    pub count: u64,
    /// The id of the request.
    pub request_id: RequestId,
}

/// The outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Succeeded,
    /// It was refused.
    Refused,
    /// The change began at a legacy system; a later record has its outcome.
    Begun,
    /// The response of a legacy system was lost: whether it succeeded is unknown.
    Unknown,
}

impl Outcome {
    /// The stored text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Refused => "REFUSED",
            Self::Begun => "BEGUN",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The outcome of an operation that failed with this error.
    pub fn of(error: &Error) -> Self {
        if error.is_outcome_unknown() { Self::Unknown } else { Self::Refused }
    }
}

/// The outcome of a change at a legacy system, with its cause.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The outcome.
    pub outcome: Outcome,
    /// The error code returned to the caller.
    pub code: Option<&'static str>,
    /// The reason, if the code does not tell it.
    pub reason: Option<&'static str>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, code: None, reason: None }
    }
}

/// Records a change in its own transaction.
///
/// # Errors
/// If the database refuses; the transaction must then not be committed.
pub async fn record(
    on: &impl ConnectionTrait,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
) -> Result<()> {
    record_ended(on, entropy, scope, entry, Outcome::Succeeded.into(), &[]).await
}

/// Records that a change at a legacy system begins, which no transaction covers; `after` is the
/// requested state.
///
/// # Errors
/// If the database refuses; the change must then not be sent.
pub async fn begin(
    on: &impl ConnectionTrait,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
) -> Result<()> {
    record_ended(on, entropy, scope, entry, Outcome::Begun.into(), &[]).await
}

/// Records the outcome of a change at a legacy system, with the request ids of that system.
///
/// # Errors
/// If the database refuses.
pub async fn record_ended(
    on: &impl ConnectionTrait,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
    ended: Ended,
    request_ids: &[String],
) -> Result<()> {
    let json = |value: Option<Value>| value.map(|value| value.to_string());
    let request_ids = (!request_ids.is_empty()).then(|| Value::from(request_ids).to_string());
    let record = ActiveModel {
        acting_tenant_id: Set(scope.caller().home()),
        subject: Set(Some(entry.subject).filter(|subject| !subject.is_empty())),
        code: Set(ended.code.map(str::to_owned)),
        reason: Set(ended.reason.map(str::to_owned)),
        upstream_request_ids: Set(request_ids),
        before: Set(json(entry.before)),
        after: Set(json(entry.after)),
        ..blank(entropy, scope.now(), scope.request_id(), ended.outcome)
    };
    let operation = entry.operation.to_owned();
    add(on, vec![named(record, scope.caller().name(), entry.tenant, operation)]).await
}

/// A record of which only id, moment, request and outcome are known.
fn blank(
    entropy: &dyn Entropy,
    at: Timestamp,
    request_id: &RequestId,
    outcome: Outcome,
) -> ActiveModel {
    ActiveModel {
        seq: NotSet,
        id: Set(AuditId::random(entropy)),
        at: Set(at),
        actor: NotSet,
        acting_tenant_id: Set(None),
        tenant_id: NotSet,
        operation: NotSet,
        subject: Set(None),
        outcome: Set(outcome.as_str().to_owned()),
        code: Set(None),
        reason: Set(None),
        request_id: Set(request_id.own().to_owned()),
        caller_request_id: Set(request_id.of_caller().map(str::to_owned)),
        count: Set(1),
        upstream_request_ids: Set(None),
        before: Set(None),
        after: Set(None),
    }
}

fn named(record: ActiveModel, actor: String, tenant: TenantId, operation: String) -> ActiveModel {
    ActiveModel { actor: Set(actor), tenant_id: Set(tenant), operation: Set(operation), ..record }
}

fn refused(entropy: &dyn Entropy, at: Timestamp, refusal: Refusal) -> ActiveModel {
    let record = ActiveModel {
        acting_tenant_id: Set(refusal.acting_tenant),
        subject: Set(refusal.subject),
        code: Set(Some(refusal.code.to_owned())),
        reason: Set(refusal.reason.map(str::to_owned)),
        count: Set(i64::try_from(refusal.count).unwrap_or(i64::MAX)),
        ..blank(entropy, at, &refusal.request_id, refusal.outcome)
    };
    named(record, refusal.actor, refusal.tenant, refusal.operation)
}

async fn add(on: &impl ConnectionTrait, mut records: Vec<ActiveModel>) -> Result<()> {
    while !records.is_empty() {
        let rest = records.split_off(records.len().min(WRITTEN_AT_ONCE));
        Entity::insert_many(records).exec_without_returning(on).await?;
        records = rest;
    }
    Ok(())
}

/// A filter of records; all conditions must hold.
#[derive(Default)]
pub struct Filter {
    /// By the name of the mutation or query.
    pub operation: Option<String>,
    /// By who acted.
    pub actor: Option<String>,
    /// By the object acted upon.
    pub subject: Option<String>,
    /// By the object of a legacy system acted upon.
    pub legacy_object: Option<LegacyObject>,
    /// By the request: the gateway's own id, or the caller's.
    pub request_id: Option<String>,
    /// By how it ended.
    pub outcome: Option<Outcome>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// An object of a legacy system. Its records have the vendor's id as their subject, which objects of
/// other tenants and of other types may have too.
pub struct LegacyObject {
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// The vendor's id.
    pub remote: String,
    /// The operations that act on objects of its type, as a pattern of SQL.
    pub operations: &'static str,
}

impl LegacyObject {
    fn condition(&self) -> Condition {
        Condition::all()
            .add(Column::TenantId.eq(self.tenant))
            .add(Column::Subject.eq(self.remote.as_str()))
            .add(Column::Operation.like(self.operations))
    }
}

impl Filter {
    fn select(&self, scope: &TenantScope) -> Select<Entity> {
        let mut all = Condition::all();
        all = all
            .add_option(self.operation.as_deref().map(|operation| Column::Operation.eq(operation)));
        all = all.add_option(self.actor.as_deref().map(|actor| Column::Actor.eq(actor)));
        all = all.add_option(self.subject.as_deref().map(|subject| Column::Subject.eq(subject)));
        all = all.add_option(self.legacy_object.as_ref().map(LegacyObject::condition));
        all = all.add_option(self.request_id.as_deref().map(of_request));
        all = all.add_option(self.outcome.map(|outcome| Column::Outcome.eq(outcome.as_str())));
        all = all.add_option(self.from.map(|from| Column::At.gte(from)));
        all = all.add_option(self.to.map(|to| Column::At.lt(to)));
        Entity::of_tenant(scope).filter(all)
    }
}

/// The audit log.
pub struct Audit {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    failures: FailureQueue,
    // Held while a record is written that no caller waits for.
    unhurried: Mutex<()>,
}

impl Audit {
    /// The log in that database.
    pub fn new(database: Arc<Database>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            database,
            clock,
            entropy,
            failures: FailureQueue::default(),
            unhurried: Mutex::new(()),
        }
    }

    /// Records a change at an endpoint outside the GraphQL API, in its own transaction.
    ///
    /// # Errors
    /// If the database refuses; the transaction must then not be committed.
    pub async fn record_change(&self, write: &Write<'_>, change: EndpointChange) -> Result<()> {
        let record = ActiveModel {
            acting_tenant_id: Set(Some(change.tenant)),
            subject: Set(Some(change.subject)),
            ..blank(&*self.entropy, self.clock.now(), &change.request_id, Outcome::Succeeded)
        };
        add(
            write.on(),
            vec![named(record, change.actor, change.tenant, change.operation.to_owned())],
        )
        .await
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

    /// Records a refusal that no caller waits for. Thousands of streams may end at once: their
    /// records are written one after another, so that at most one of them is before another writer
    /// in the queue.
    pub async fn refused_in_turn(&self, refusal: Refusal) {
        let _turn = self.unhurried.lock().await;
        self.refused(refusal).await;
    }

    async fn write_refusals(&self, refusals: Vec<Refusal>) -> Result<()> {
        let at = self.clock.now();
        let records = refusals.into_iter().map(|refusal| refused(&*self.entropy, at, refusal));
        let records: Vec<_> = records.collect();
        let work = async |write: Arc<Write<'_>>| add(write.on(), records.clone()).await;
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

fn of_request(id: &str) -> Condition {
    Condition::any().add(Column::RequestId.eq(id)).add(Column::CallerRequestId.eq(id))
}

/// Whether the log keeps refusals with this code: all but those of requests that were not executed.
pub fn is_recorded(code: ErrorCode) -> bool {
    !matches!(
        code,
        ErrorCode::GraphqlParseFailed | ErrorCode::GraphqlValidationFailed | ErrorCode::BadRequest
    )
}
