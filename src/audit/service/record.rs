//! Adds records to a transaction. They are written as its last step.

use super::batch::Batch;
use super::entry::{Ended, EndpointChange, Entry, Outcome, Refusal};
use crate::audit::canonical::stored;
use crate::audit::entity::Model;
use crate::auth::{RequestId, TenantScope};
use crate::clock::Timestamp;
use crate::database::Transaction;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{AuditId, TenantId};

/// Records a change in its own transaction.
///
/// # Errors
/// If the transaction has too many records; it must then not be committed.
pub async fn record(
    on: &Transaction,
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
/// As [`record`]; the change must then not be sent.
pub async fn begin(
    on: &Transaction,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
) -> Result<()> {
    record_ended(on, entropy, scope, entry, Outcome::Begun.into(), &[]).await
}

/// Records the outcome of a change at a legacy system, with the request ids of that system.
///
/// # Errors
/// As [`record`].
pub async fn record_ended(
    on: &Transaction,
    entropy: &dyn Entropy,
    scope: &TenantScope,
    entry: Entry,
    ended: Ended,
    request_ids: &[String],
) -> Result<()> {
    let request_ids = (!request_ids.is_empty()).then(|| stored(request_ids.into()));
    let named = Named {
        actor: scope.caller().name(),
        tenant: entry.tenant,
        operation: entry.operation.to_owned(),
    };
    let record = Model {
        acting_tenant_id: scope.caller().home(),
        subject: Some(entry.subject).filter(|subject| !subject.is_empty()),
        code: ended.code.map(str::to_owned),
        reason: ended.reason.map(str::to_owned),
        upstream_request_ids: request_ids,
        before: entry.before.map(stored),
        after: entry.after.map(stored),
        ..named.record(entropy, scope.now(), scope.request_id(), ended.outcome)
    };
    add(on, vec![record]).await
}

/// Records a change at an endpoint outside the GraphQL API.
pub(super) async fn record_change(
    on: &Transaction,
    entropy: &dyn Entropy,
    at: Timestamp,
    change: EndpointChange,
) -> Result<()> {
    let EndpointChange { actor, tenant, operation, subject, request_id } = change;
    let named = Named { actor, tenant, operation: operation.to_owned() };
    let record = Model {
        acting_tenant_id: Some(tenant),
        subject: Some(subject),
        ..named.record(entropy, at, &request_id, Outcome::Succeeded)
    };
    add(on, vec![record]).await
}

/// The record of a refusal.
pub(super) fn refused(entropy: &dyn Entropy, at: Timestamp, refusal: Refusal) -> Model {
    let named =
        Named { actor: refusal.actor, tenant: refusal.tenant, operation: refusal.operation };
    Model {
        acting_tenant_id: refusal.acting_tenant,
        subject: refusal.subject,
        code: Some(refusal.code.to_owned()),
        reason: refusal.reason.map(str::to_owned),
        count: i64::try_from(refusal.count).unwrap_or(i64::MAX),
        ..named.record(entropy, at, &refusal.request_id, refusal.outcome)
    }
}

/// Adds records to those that the transaction writes before its commit.
pub(super) async fn add(on: &Transaction, records: Vec<Model>) -> Result<()> {
    on.last_step(|batch: &mut Batch| batch.add(records)).await
}

/// The members of every record.
struct Named {
    actor: String,
    tenant: TenantId,
    operation: String,
}

impl Named {
    /// A record of which no more is known.
    fn record(
        self,
        entropy: &dyn Entropy,
        at: Timestamp,
        request_id: &RequestId,
        outcome: Outcome,
    ) -> Model {
        Model {
            seq: 0,
            id: AuditId::random(entropy),
            at,
            actor: self.actor,
            acting_tenant_id: None,
            tenant_id: self.tenant,
            operation: self.operation,
            subject: None,
            outcome: outcome.as_str().to_owned(),
            code: None,
            reason: None,
            request_id: request_id.own().to_owned(),
            caller_request_id: request_id.of_caller().map(str::to_owned),
            count: 1,
            upstream_request_ids: None,
            before: None,
            after: None,
            position: None,
            previous_hash: None,
            hash: None,
        }
    }
}
