//! The filters of `auditLog`.

use async_graphql::Context;
use futures_util::FutureExt;

use super::AuditOutcome;
use crate::audit::service::{Filter, LegacyObject};
use crate::auth::TenantScope;
use crate::auth::graphql::service;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::LinkId;
use crate::upstreams::Upstreams;

/// The arguments that filter.
pub(super) struct Arguments {
    pub operation: Option<String>,
    pub actor: Option<String>,
    pub subject: Option<String>,
    pub request_id: Option<String>,
    pub outcome: Option<AuditOutcome>,
    pub from: Option<String>,
    pub to: Option<String>,
}

impl Arguments {
    /// The filter of the service.
    pub async fn filter(self, ctx: &Context<'_>, scope: &TenantScope) -> Result<Filter> {
        let moment = |argument, text: Option<String>| {
            text.map(|text| Timestamp::parse(argument, &text)).transpose()
        };
        let text =
            |argument, text: Option<String>| text.map(|text| plain(argument, text)).transpose();
        let subject = text("subject", self.subject)?;
        let legacy_object = match subject.as_deref().and_then(GlobalId::read) {
            Some(id) => legacy_object(ctx, scope, id).boxed().await?,
            None => None,
        };
        Ok(Filter {
            operation: text("operation", self.operation)?,
            actor: text("actor", self.actor)?,
            // Records hold the vendor's id of an object and never a global id. A global id of an
            // object that the caller cannot reach therefore matches no record.
            subject: subject.filter(|_| legacy_object.is_none()),
            legacy_object,
            request_id: text("requestID", self.request_id)?,
            outcome: self.outcome.map(Into::into),
            from: moment("from", self.from)?,
            to: moment("to", self.to)?,
        })
    }
}

/// The object of a legacy system that a global id names; `None` if it is of a type that no operation
/// changes, or if the scope reaches no link that leads to it.
async fn legacy_object(
    ctx: &Context<'_>,
    scope: &TenantScope,
    id: GlobalId,
) -> Result<Option<LegacyObject>> {
    let operations = match id.kind {
        NodeKind::DeepSecurityComputer => "%DeepSecurityComputer%",
        NodeKind::DeepSecurityPolicy => "%DeepSecurityPolicy%",
        NodeKind::DeepSecurityApiKey => "%DeepSecurity%ApiKey%",
        NodeKind::IntegrationServerVirtualMachine => "%VirtualMachine%",
        _ => return Ok(None),
    };
    match service::<Upstreams>(ctx)?.find_link(scope, LinkId(id.place)).await {
        Ok(link) => {
            Ok(Some(LegacyObject { tenant: link.tenant_id, remote: id.remote, operations }))
        }
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A text that both databases accept.
fn plain(argument: &str, text: String) -> Result<String> {
    if text.chars().any(char::is_control) {
        return Err(Error::bad_input(argument, "must not have control characters"));
    }
    Ok(text)
}
