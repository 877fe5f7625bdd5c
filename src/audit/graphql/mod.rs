//! The audit log in the graph.

mod filter;
mod verification;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use futures_util::FutureExt;

use super::entity::Model;
use super::service::{Audit, Outcome};
use crate::auth::graphql::{request, service};
use crate::error::{ErrorCode, Result};
use crate::graph::graphql::{Connection, DateTime, Edge, JsonValue, page_limit};
use crate::paging::{PAGE_SIZE_MAX, cursor, read_cursor};
use crate::roles::Permission;
use verification::{Arguments, AuditChainPointInput, AuditVerification};

/// The outcome of an audited operation.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditOutcome {
    /// The operation succeeded.
    Succeeded,
    /// The operation was refused or failed: nothing changed, or a task of a legacy system ended
    /// unsuccessfully.
    Refused,
    /// A change at a legacy system was started. A later record of the same request has its outcome;
    /// without one, the outcome is unknown.
    Begun,
    /// The response of a legacy system was lost, or the end of its task was never observed: the
    /// change may or may not have taken effect. Also used for an outcome that this version does not
    /// know; see `outcomeText`.
    Unknown,
}

impl From<AuditOutcome> for Outcome {
    fn from(outcome: AuditOutcome) -> Self {
        match outcome {
            AuditOutcome::Succeeded => Self::Succeeded,
            AuditOutcome::Refused => Self::Refused,
            AuditOutcome::Begun => Self::Begun,
            AuditOutcome::Unknown => Self::Unknown,
        }
    }
}

/// An entry of the audit log: an operation that was performed or refused in a tenant.
#[derive(SimpleObject)]
pub struct AuditRecord {
    /// The record's UUID.
    #[graphql(owned)]
    pub id: ID,
    /// When the operation happened.
    occurred_at: DateTime,
    /// When the operation happened, in RFC 3339.
    #[graphql(deprecation = "use occurredAt; offered until 2027-12-31")]
    at: String,
    /// The subject that performed the operation: the client's UUID, `operator` for the command line, or the
    /// `client_id` of a failed authentication.
    actor: String,
    /// The tenant that the actor belongs to.
    #[graphql(name = "actingTenantID")]
    acting_tenant_id: Option<ID>,
    /// The tenant in which the operation happened.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The name of the mutation or query, such as `createClient`; `token` for the token endpoint,
    /// `graphql` for a document that was refused before execution, `stream` for a subscription or
    /// WebSocket that was closed because its caller lost access.
    operation: String,
    /// The id of the affected object; the tenant that the caller was refused to enter; or `sha256:`
    /// and the hash of an untrusted document.
    subject: Option<String>,
    /// The outcome.
    outcome: AuditOutcome,
    /// The outcome as stored in the log.
    outcome_text: String,
    /// The error code that the caller received, of the graph or of OAuth; null without an error.
    code: Option<String>,
    /// The error code of the graph; null for an OAuth error code, which only `code` has.
    error_code: Option<ErrorCode>,
    /// The reason where the code leaves it open, such as `secret_expired` or `untrusted_document`.
    reason: Option<String>,
    /// The number of occurrences: equal refusals of one request, and equal failed authentications
    /// within seconds of each other, share one record.
    count: i64,
    /// The gateway's own id of the request. It is unique, and log lines carry it as `request_id`.
    #[graphql(name = "requestID")]
    request_id: String,
    /// The `X-Request-Id` that the caller sent. A caller may use one for several requests.
    #[graphql(name = "callerRequestID")]
    caller_request_id: Option<String>,
    /// The ids of the requests that were sent to legacy systems for the operation.
    #[graphql(name = "upstreamRequestIDs")]
    upstream_request_ids: Vec<String>,
    /// The object before the operation; null if it was created.
    before: Option<JsonValue>,
    /// The object after the operation; null if it was deleted.
    after: Option<JsonValue>,
    /// The position of the record in the chain of its tenant, from 1; null for a record that was
    /// written before the gateway chained them.
    position: Option<i64>,
    /// The hash of the record before it in the chain; 64 zeros for the first.
    previous_hash: Option<String>,
    /// The hash of the record in the chain, 64 hexadecimal digits: SHA-256 over all of the record
    /// and `previousHash`.
    hash: Option<String>,
}

impl From<Model> for AuditRecord {
    fn from(model: Model) -> Self {
        let json = |text: Option<String>| {
            text.and_then(|text| serde_json::from_str(&text).ok()).map(JsonValue)
        };
        let upstream_request_ids =
            model.upstream_request_ids.and_then(|ids| serde_json::from_str(&ids).ok());
        Self {
            id: model.id.to_string().into(),
            occurred_at: model.at.into(),
            at: model.at.to_string(),
            actor: model.actor,
            acting_tenant_id: model.acting_tenant_id.map(|id| id.to_string().into()),
            tenant_id: model.tenant_id.to_string().into(),
            operation: model.operation,
            subject: model.subject,
            outcome: match &*model.outcome {
                outcome if outcome == Outcome::Succeeded.as_str() => AuditOutcome::Succeeded,
                outcome if outcome == Outcome::Begun.as_str() => AuditOutcome::Begun,
                outcome if outcome == Outcome::Refused.as_str() => AuditOutcome::Refused,
                _ => AuditOutcome::Unknown,
            },
            outcome_text: model.outcome,
            error_code: model
                .code
                .as_deref()
                .filter(|code| is_of_graph(code))
                .map(ErrorCode::recorded),
            code: model.code,
            reason: model.reason,
            count: model.count,
            request_id: model.request_id,
            caller_request_id: model.caller_request_id,
            upstream_request_ids: upstream_request_ids.unwrap_or_default(),
            before: json(model.before),
            after: json(model.after),
            position: model.position,
            previous_hash: model.previous_hash,
            hash: model.hash,
        }
    }
}

/// OAuth error codes are in lower case (RFC 6749, section 5.2), those of the graph in upper case.
fn is_of_graph(code: &str) -> bool {
    !code.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// A record about the tenant in context or one below it.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read the audit log.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<AuditRecord> {
    let scope = request(ctx)?.scope(Permission::ReadAuditLog)?;
    Ok(service::<Audit>(ctx)?.find(&scope, id).await?.into())
}

/// Queries of the audit log.
#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Lists the audit log of the tenant in context and those below it, newest first. A record must
    /// match every filter. Requires the permission to read the audit log.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 100. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Returns records of this mutation or query.")] operation: Option<String>,
        #[graphql(desc = "Returns records of this actor, as `AuditRecord.actor` has it.")]
        actor: Option<String>,
        #[graphql(desc = "Returns records on the object with this id: the global id, or as \
                `AuditRecord.subject` has it.")]
        subject: Option<String>,
        #[graphql(
            desc = "Returns records of this request: the gateway's id or the caller's.",
            name = "requestID"
        )]
        request_id: Option<String>,
        #[graphql(desc = "Returns records with this outcome.")] outcome: Option<AuditOutcome>,
        #[graphql(desc = "Returns records at or after this time, in RFC 3339.")] from: Option<
            String,
        >,
        #[graphql(desc = "Returns records before this time, in RFC 3339.")] to: Option<String>,
    ) -> Result<Option<Connection<AuditRecord>>> {
        let scope = request(ctx)?.scope(Permission::ReadAuditLog)?;
        let arguments =
            filter::Arguments { operation, actor, subject, request_id, outcome, from, to };
        let filter = arguments.filter(ctx, &scope).await?;
        let before =
            after.as_deref().map(|after| read_cursor::<i64>("after", after)).transpose()?;
        let count = page_limit(first, PAGE_SIZE_MAX)?;
        let audit = service::<Audit>(ctx)?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            Some(audit.count(&scope, &filter).boxed().await?)
        } else {
            None
        };
        let mut records = audit.list(&scope, &filter, before, count).boxed().await?;
        let more = records.len() as u64 > count;
        records.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let edge = |record: Model| Edge::new(cursor(&record.seq), record.into());
        let edges = records.into_iter().map(edge).collect();
        Ok(Some(Connection::new(edges, before.is_some(), more, total)))
    }

    /// Verifies that the audit log of the tenant in context, without those below it, is as it was
    /// written: each record holds the hash of the one before. A call verifies at most 20000 records
    /// and reads no further ones after three seconds; continue with `endCursor`. Requires the
    /// permission to read the audit log.
    async fn audit_verify(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Begins with the first record at or after this time, in RFC 3339. \
                Default: the oldest record.")]
        from: Option<String>,
        #[graphql(desc = "Ends with the last record before this time, in RFC 3339. Default: the \
                newest record.")]
        to: Option<String>,
        #[graphql(desc = "Continues behind this cursor, with which an earlier call ended.")]
        after: Option<String>,
        #[graphql(desc = "Places that the chain must have, such as the `head` of an earlier \
                verification; at most 20.")]
        expected: Option<Vec<AuditChainPointInput>>,
    ) -> Result<Option<AuditVerification>> {
        let arguments = Arguments { from, to, after, expected };
        verification::verify(ctx, arguments).boxed().await.map(Some)
    }
}
