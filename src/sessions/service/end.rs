//! Ends sessions, for their person or an administrator.

use std::sync::Arc;

use serde_json::json;

use super::Sessions;
use crate::audit::{self, EndpointChange, Entry};
use crate::auth::{RequestId, TenantScope};
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{SessionId, TenantId, UserId};
use crate::sessions::entity;

impl Sessions {
    /// Ends a session of a person; `operation` is the name in the audit log. Returns whether there
    /// was one.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn end(
        &self,
        user: UserId,
        home: TenantId,
        id: SessionId,
        operation: &'static str,
        request_id: &RequestId,
    ) -> Result<bool> {
        let work = async |write: Arc<Write<'_>>| {
            let ended = entity::delete(write.on(), user, id).await?;
            if ended {
                let change = change(user, home, operation, id, request_id);
                self.audit.record_change(&write, change).await?;
            }
            Ok(ended)
        };
        self.database.transaction(work).await
    }

    /// Ends a session of a user for an administrator.
    ///
    /// # Errors
    /// `NOT_FOUND` for a user outside the scope, and for a session that is not theirs or has ended;
    /// `FORBIDDEN` for a user whom the caller has no authority over.
    pub async fn end_of_user(&self, scope: &TenantScope, user: &str, id: SessionId) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let user = self.users.managed_in(&write, scope, user).await?;
            if !entity::delete(write.on(), user.id(), id).await? {
                return Err(Error::not_found("session"));
            }
            let entry = Entry {
                operation: "endUserSession",
                tenant: user.tenant(),
                subject: id.to_string(),
                before: Some(json!({ "userID": user.id() })),
                after: None,
            };
            audit::record(write.on(), &*self.entropy, scope, entry).await
        };
        self.database.transaction(work).await
    }
}

fn change(
    user: UserId,
    home: TenantId,
    operation: &'static str,
    session: SessionId,
    request_id: &RequestId,
) -> EndpointChange {
    EndpointChange {
        actor: user.to_string(),
        tenant: home,
        operation,
        subject: session.to_string(),
        request_id: request_id.clone(),
    }
}
