//! A mutation's change at a manager: authorized, audited and sent once. A change is never repeated
//! when its response is lost.

use std::sync::Arc;

use async_graphql::{Context, ID};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::key::ApiKeySecretObject;
use crate::auth::graphql::{operation, request, service};
use crate::clock::Timestamp;
use crate::deep_security::DeepSecurity;
use crate::deep_security::client::ApiRequest;
use crate::deep_security::manager::{Manager, path_of};
use crate::deep_security::model::{Expand, ObjectId};
use crate::deep_security::service::{AuditedChange, ChangeResult};
use crate::deep_security::wire::{KeyWithSecret, Resource};
use crate::error::Result;
use crate::outbound::Operation;
use crate::roles::Permission;

/// A manager where the caller may change legacy resources, and the mutation that does.
pub struct Change<'a> {
    /// The manager of the tenant in context.
    pub manager: Arc<Manager>,
    service: &'a Arc<DeepSecurity>,
    operation: &'a Operation,
    mutation: &'static str,
}

/// The part of a change that the audit log records before it is sent.
pub struct Intent {
    /// The state of the object; absent if it is created.
    pub before: Option<Value>,
    /// The requested change. Never contains a secret.
    pub wanted: Value,
}

impl<'a> Change<'a> {
    /// Opens the manager of the tenant in context.
    ///
    /// # Errors
    /// `FORBIDDEN` without the permission to change legacy resources; `UPSTREAM_NOT_LINKED` if the
    /// tenant has no manager.
    pub async fn open(ctx: &Context<'a>, mutation: &'static str) -> Result<Self> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let service = service::<DeepSecurity>(ctx)?;
        let manager = Arc::new(service.manager(&scope).await?);
        Ok(Self { manager, service, operation: operation(ctx)?, mutation })
    }

    /// When the caller's permission to change legacy resources ends; `None` if it does not.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn permission_ends(&self) -> Result<Option<Timestamp>> {
        self.manager.scope.end_of(Permission::WriteLegacy).await
    }

    /// Sends a change of an object and reads its new state.
    ///
    /// # Errors
    /// As every call; with an unknown outcome after a lost response.
    pub async fn send<T: Resource>(&self, intent: Intent, request: ApiRequest) -> Result<T> {
        let after = |changed: &T| (changed.id(), changed.audit_state());
        self.send_to(&self.manager, intent, request, after).await
    }

    /// Sends a change whose response contains the secret of a key of this tenant, to its manager or
    /// to the primary manager.
    ///
    /// # Errors
    /// As [`Change::send`].
    pub async fn send_for_secret(
        &self,
        manager: &Manager,
        intent: Intent,
        request: ApiRequest,
    ) -> Result<ApiKeySecretObject> {
        let after = |created: &KeyWithSecret| (created.key.id, created.key.audit_state());
        let created = self.send_to(manager, intent, request, after).await?;
        Ok(ApiKeySecretObject::new(&self.manager, created))
    }

    async fn send_to<T: DeserializeOwned>(
        &self,
        manager: &Manager,
        intent: Intent,
        request: ApiRequest,
        after: impl FnOnce(&T) -> (i64, Value),
    ) -> Result<T> {
        let work = async {
            let value: T = manager.read(self.operation, &request).await?;
            let (id, after) = after(&value);
            Ok(ChangeResult { value, subject: id.to_string(), after: Some(after) })
        };
        self.service.change(manager, self.operation, self.audited(intent), work).await
    }

    /// Deletes an object and returns its global id.
    ///
    /// # Errors
    /// `NOT_FOUND`; as [`Change::send`].
    pub async fn delete<T: Resource>(&self, id: &str, expand: Option<&Expand>) -> Result<ID> {
        let (id, before) = self.before::<T>(id, expand).await?;
        let deleted = ID(self.manager.ids().global(T::NODE_KIND, id.0));
        let request = ApiRequest::delete(path_of::<T>(id));
        let work = async {
            let sent = self.manager.send(self.operation, &request).await;
            sent.map_err(|error| self.manager.name_missing::<T>(error))?;
            Ok(ChangeResult { value: deleted, subject: id.0.to_string(), after: None })
        };
        let change = self.audited(Intent { before: Some(before), wanted: Value::Null });
        self.service.change(&self.manager, self.operation, change, work).await
    }

    /// The id and the state of an object before it is changed.
    ///
    /// # Errors
    /// `NOT_FOUND`, and then nothing is sent.
    pub async fn before<T: Resource>(
        &self,
        id: &str,
        expand: Option<&Expand>,
    ) -> Result<(ObjectId, Value)> {
        let id = self.manager.ids().object(T::KIND, T::NODE_KIND, id)?;
        let found: T = self.manager.find(self.operation, id, expand).await?;
        Ok((id, found.audit_state()))
    }

    fn audited(&self, intent: Intent) -> AuditedChange {
        let Intent { before, wanted } = intent;
        let subject = before.as_ref().map(|before| before["id"].to_string()).unwrap_or_default();
        AuditedChange { operation: self.mutation, subject, before, wanted }
    }
}
