//! Adding to the audit log, and reading it.

use std::sync::Arc;

use futures_util::FutureExt;
use sea_orm::{
    ActiveValue::NotSet, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect,
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

/// Something that happened.
pub struct Entry {
    /// The name of the mutation.
    pub operation: &'static str,
    /// The tenant acted upon.
    pub tenant: TenantId,
    /// The id of the object acted upon.
    pub subject: String,
    /// What it was before; nothing if it is new. Never a secret.
    pub before: Option<Value>,
    /// What it is now; nothing if it is gone. Never a secret.
    pub after: Option<Value>,
}

/// Something that a client did at the door, outside the graph.
pub struct Deed {
    /// Who did it: a client's UUID.
    pub actor: String,
    /// The tenant that they belong to, and in which it happened.
    pub tenant: TenantId,
    /// The name of the endpoint.
    pub operation: &'static str,
    /// The id of the object acted upon.
    pub subject: String,
    /// The id of the request.
    pub request_id: RequestId,
}

/// Something that did not happen.
pub struct Refusal {
    /// Who wanted it.
    pub actor: String,
    /// The tenant that they belong to, where known.
    pub acting_tenant: Option<TenantId>,
    /// The tenant in which they wanted it.
    pub tenant: TenantId,
    /// The name of the mutation or query, or of what was refused at the door.
    pub operation: String,
    /// What they wanted it of, where nothing else of the record tells.
    pub subject: Option<String>,
    /// The code that they were told.
    pub code: &'static str,
    /// What they were not told.
    pub reason: Option<&'static str>,
    /// The id of the request.
    pub request_id: RequestId,
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Succeeded,
    /// It did not.
    Refused,
    /// It was about to: of what happens at a legacy system, how it ended is recorded after it.
    Begun,
}

impl Outcome {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Refused => "REFUSED",
            Self::Begun => "BEGUN",
        }
    }
}

/// Records what happened, in the transaction in which it happens.
///
/// # Errors
/// If the database refuses; the transaction must then not be committed.
pub async fn record(on: &impl ConnectionTrait, entropy: &dyn Entropy, scope: &TenantScope, entry: Entry) -> Result<()> {
    record_as(on, entropy, scope, entry, Outcome::Succeeded, &[]).await
}

/// Records what is about to be done at a legacy system, where no transaction reaches: `after` is what is wanted.
///
/// # Errors
/// If the database refuses; it must then not be done.
pub async fn begin(on: &impl ConnectionTrait, entropy: &dyn Entropy, scope: &TenantScope, entry: Entry) -> Result<()> {
    record_as(on, entropy, scope, entry, Outcome::Begun, &[]).await
}

/// Records what happened at a legacy system, with the ids that it gave to the requests.
///
/// # Errors
/// If the database refuses.
pub async fn record_upstream(
    on: &impl ConnectionTrait,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
    request_ids: &[String],
) -> Result<()> {
    record_as(on, entropy, scope, entry, Outcome::Succeeded, request_ids).await
}

async fn record_as(
    on: &impl ConnectionTrait,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
    outcome: Outcome,
    request_ids: &[String],
) -> Result<()> {
    let json = |value: Option<Value>| value.map(|value| value.to_string());
    let subject = Some(entry.subject).filter(|subject| !subject.is_empty());
    let request_ids = (!request_ids.is_empty()).then(|| Value::from(request_ids).to_string());
    add(
        on,
        ActiveModel {
            seq: NotSet,
            id: Set(AuditId::random(entropy)),
            at: Set(scope.now()),
            actor: Set(scope.caller().name()),
            acting_tenant_id: Set(scope.caller().home()),
            tenant_id: Set(entry.tenant),
            operation: Set(entry.operation.to_owned()),
            subject: Set(subject),
            outcome: Set(outcome.as_str().to_owned()),
            code: Set(None),
            reason: Set(None),
            request_id: Set(scope.request_id().as_str().to_owned()),
            upstream_request_ids: Set(request_ids),
            before: Set(json(entry.before)),
            after: Set(json(entry.after)),
        },
    )
    .await
}

/// Records what was refused.
///
/// # Errors
/// If the database refuses.
pub async fn refuse(on: &impl ConnectionTrait, entropy: &dyn Entropy, at: Timestamp, refusal: Refusal) -> Result<()> {
    add(
        on,
        ActiveModel {
            seq: NotSet,
            id: Set(AuditId::random(entropy)),
            at: Set(at),
            actor: Set(refusal.actor),
            acting_tenant_id: Set(refusal.acting_tenant),
            tenant_id: Set(refusal.tenant),
            operation: Set(refusal.operation),
            subject: Set(refusal.subject),
            outcome: Set(Outcome::Refused.as_str().to_owned()),
            code: Set(Some(refusal.code.to_owned())),
            reason: Set(refusal.reason.map(str::to_owned)),
            request_id: Set(refusal.request_id.as_str().to_owned()),
            upstream_request_ids: Set(None),
            before: Set(None),
            after: Set(None),
        },
    )
    .await
}

async fn add(on: &impl ConnectionTrait, record: ActiveModel) -> Result<()> {
    Entity::insert(record).exec_without_returning(on).await?;
    Ok(())
}

/// Which records to read; all that is named must hold.
#[derive(Default)]
pub struct Filter {
    /// By the name of the mutation or query.
    pub operation: Option<String>,
    /// By who acted.
    pub actor: Option<String>,
    /// By the object acted upon.
    pub subject: Option<String>,
    /// By how it ended.
    pub outcome: Option<Outcome>,
    /// At this moment or later.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// The audit log.
pub struct Audit {
    database: Arc<Database>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    // Held while something is written that nobody waits for.
    unhurried: Mutex<()>,
}

impl Audit {
    /// The log in that database.
    pub fn new(database: Arc<Database>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { database, clock, entropy, unhurried: Mutex::new(()) }
    }

    /// Records what was done at the door, in the transaction in which it happens.
    ///
    /// # Errors
    /// If the database refuses; the transaction must then not be committed.
    pub async fn done(&self, write: &Write<'_>, deed: Deed) -> Result<()> {
        let record = ActiveModel {
            seq: NotSet,
            id: Set(AuditId::random(&*self.entropy)),
            at: Set(self.clock.now()),
            actor: Set(deed.actor),
            acting_tenant_id: Set(Some(deed.tenant)),
            tenant_id: Set(deed.tenant),
            operation: Set(deed.operation.to_owned()),
            subject: Set(Some(deed.subject)),
            outcome: Set(Outcome::Succeeded.as_str().to_owned()),
            code: Set(None),
            reason: Set(None),
            request_id: Set(deed.request_id.as_str().to_owned()),
            upstream_request_ids: Set(None),
            before: Set(None),
            after: Set(None),
        };
        add(write.on(), record).await
    }

    /// Records what was refused at the door. A log that cannot be written is itself logged, and the refusal stands.
    pub async fn refused(&self, refusal: Refusal) {
        // Boxed, so that the many requests of which nothing is refused do not carry the room that writing takes.
        if let Err(error) = self.write_refusal(refusal).boxed().await {
            error.log_cause();
        }
    }

    /// The same of what nobody waits for. Thousands of streams may be cut off at once: their records are written one after the
    /// other, so that no other writer has more than one of them before it in the queue.
    pub async fn refused_in_turn(&self, refusal: Refusal) {
        let _turn = self.unhurried.lock().await;
        self.refused(refusal).await;
    }

    async fn write_refusal(&self, refusal: Refusal) -> Result<()> {
        let write = self.database.write().await?;
        refuse(write.on(), &*self.entropy, self.clock.now(), refusal).await?;
        write.commit().await
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

    /// Records about the tenant of the scope and all below it, newest first, older than `before`; one more than asked
    /// for, if there is one.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(
        &self,
        scope: &TenantScope,
        filter: Filter,
        before: Option<i64>,
        count: u64,
    ) -> Result<Vec<Model>> {
        let mut select = Entity::of_tenant(scope).limit(count + 1);
        if let Some(seq) = before {
            select = select.filter(Column::Seq.lt(seq));
        }
        if let Some(operation) = filter.operation {
            select = select.filter(Column::Operation.eq(operation));
        }
        if let Some(actor) = filter.actor {
            select = select.filter(Column::Actor.eq(actor));
        }
        if let Some(subject) = filter.subject {
            select = select.filter(Column::Subject.eq(subject));
        }
        if let Some(outcome) = filter.outcome {
            select = select.filter(Column::Outcome.eq(outcome.as_str()));
        }
        if let Some(from) = filter.from {
            select = select.filter(Column::At.gte(from));
        }
        if let Some(to) = filter.to {
            select = select.filter(Column::At.lt(to));
        }
        Ok(select.all(self.database.reader()).await?)
    }
}

/// The codes of refused mutations and queries that the log keeps: all but those for which nothing was tried.
pub fn is_recorded(code: ErrorCode) -> bool {
    !matches!(code, ErrorCode::GraphqlParseFailed | ErrorCode::GraphqlValidationFailed | ErrorCode::BadRequest)
}
