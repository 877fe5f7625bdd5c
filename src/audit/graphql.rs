//! The audit log in the graph.

use async_graphql::connection::{Connection, Edge};
use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use futures_util::FutureExt;

use super::entity::Model;
use super::service::{Audit, Filter, Outcome};
use crate::auth::graphql::{request, service};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::graph::graphql::{DateTime, JsonValue, Total, page_limit};
use crate::paging::{PAGE_SIZE_MAX, cursor, read_cursor};
use crate::roles::Permission;

/// How something that was tried ended.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditOutcome {
    /// It happened.
    Succeeded,
    /// It was refused, or failed: nothing changed, or a task of a legacy system ended without
    /// having done its work.
    Refused,
    /// It was about to be done at a legacy system. How it ended stands in a later record of the
    /// same request; if there is none, that is not known.
    Begun,
    /// The answer of a legacy system was lost, or its task was never seen to end: whether it did
    /// what was asked is not known. Also what this version has no name for; `outcomeText` says
    /// what.
    Unknown,
}

/// One thing that was done, or refused, in a tenant.
#[derive(SimpleObject)]
pub struct AuditRecord {
    /// The record's UUID.
    #[graphql(owned)]
    pub id: ID,
    /// When it happened.
    occurred_at: DateTime,
    /// When, in RFC 3339.
    #[graphql(deprecation = "use occurredAt; offered until 2027-12-31")]
    at: String,
    /// Who: a client's UUID, `operator` for the command line, or the `client_id` that somebody
    /// claimed in vain.
    actor: String,
    /// The tenant that the actor belongs to.
    #[graphql(name = "actingTenantID")]
    acting_tenant_id: Option<ID>,
    /// The tenant acted upon.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The name of the mutation or query, such as `createClient`; `token` for the token endpoint,
    /// `graphql` for what was refused before it was executed, `stream` for a subscription or a
    /// WebSocket that was ended because its caller may not follow it any longer.
    operation: String,
    /// The id of the object acted upon; the tenant that somebody tried to enter in vain; `sha256:`
    /// and the hash of a document that is not trusted.
    subject: Option<String>,
    /// How it ended.
    outcome: AuditOutcome,
    /// How it ended, as the log has it.
    outcome_text: String,
    /// The error code that the caller was told.
    code: Option<String>,
    /// Why, where the code does not tell, such as `secret_expired` or `untrusted_document`.
    reason: Option<String>,
    /// How often it happened: refusals of one request that are alike, and failed authentications
    /// that are alike and follow each other within seconds, stand in one record.
    count: i64,
    /// The gateway's own id of the request: no other request has it, and log lines carry it as
    /// `request_id`.
    #[graphql(name = "requestID")]
    request_id: String,
    /// The `X-Request-Id` that the caller gave. Nothing keeps a caller from giving it to several
    /// requests.
    #[graphql(name = "callerRequestID")]
    caller_request_id: Option<String>,
    /// The ids of the requests to legacy systems that were made for it.
    #[graphql(name = "upstreamRequestIDs")]
    upstream_request_ids: Vec<String>,
    /// The object before; absent if it is new.
    before: Option<JsonValue>,
    /// The object after; absent if it is gone.
    after: Option<JsonValue>,
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
            code: model.code,
            reason: model.reason,
            count: model.count,
            request_id: model.request_id,
            caller_request_id: model.caller_request_id,
            upstream_request_ids: upstream_request_ids.unwrap_or_default(),
            before: json(model.before),
            after: json(model.after),
        }
    }
}

/// A record about the tenant in context or one below it.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read the audit log.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<AuditRecord> {
    let scope = request(ctx)?.scope(Permission::ReadAuditLog)?;
    Ok(service::<Audit>(ctx)?.find(&scope, id).await?.into())
}

#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What was done and refused in the tenant in context and in all below it, newest first. Needs
    /// the right to read the audit log. All filters that are given must hold.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn audit_log(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many: 50 if absent, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only this mutation or query.")] operation: Option<String>,
        #[graphql(desc = "Only what this client did, by its UUID.")] actor: Option<String>,
        #[graphql(desc = "Only what was done to the object with this id.")] subject: Option<String>,
        #[graphql(
            desc = "Only of the request with this id, which is the gateway's own or the caller's.",
            name = "requestID"
        )]
        request_id: Option<String>,
        #[graphql(desc = "Only what ended so.")] outcome: Option<AuditOutcome>,
        #[graphql(desc = "Only at this moment or later, in RFC 3339.")] from: Option<String>,
        #[graphql(desc = "Only before this moment, in RFC 3339.")] to: Option<String>,
    ) -> Result<Option<Connection<String, AuditRecord, Total>>> {
        let scope = request(ctx)?.scope(Permission::ReadAuditLog)?;
        let outcome = outcome.map(|outcome| match outcome {
            AuditOutcome::Succeeded => Outcome::Succeeded,
            AuditOutcome::Refused => Outcome::Refused,
            AuditOutcome::Begun => Outcome::Begun,
            AuditOutcome::Unknown => Outcome::Unknown,
        });
        let moment = |argument, text: Option<String>| {
            text.map(|text| Timestamp::parse(argument, &text)).transpose()
        };
        let text =
            |argument, text: Option<String>| text.map(|text| plain(argument, text)).transpose();
        let filter = Filter {
            operation: text("operation", operation)?,
            actor: text("actor", actor)?,
            subject: text("subject", subject)?,
            request_id: text("requestID", request_id)?,
            outcome,
            from: moment("from", from)?,
            to: moment("to", to)?,
        };
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
        let mut connection =
            Connection::with_additional_fields(before.is_some(), more, Total::of(total));
        connection.edges = records
            .into_iter()
            .map(|record| Edge::new(cursor(&record.seq), record.into()))
            .collect();
        Ok(Some(connection))
    }
}

/// A text that both databases take.
fn plain(argument: &str, text: String) -> Result<String> {
    match text.chars().any(char::is_control) {
        true => Err(Error::bad_input(argument, "must not have control characters")),
        false => Ok(text),
    }
}
