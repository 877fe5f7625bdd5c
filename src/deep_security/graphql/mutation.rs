//! Changing. Whatever is changed is changed once: nothing here is sent a second time when its
//! answer is lost.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use serde_json::{Value, json};

use super::computer::ComputerObject;
use super::inputs::{
    CreateDeepSecurityApiKeyInput, DeepSecurityPolicyInput, UpdateDeepSecurityApiKeyInput,
    UpdateDeepSecurityComputerInput,
};
use super::key::{ApiKeyObject, ApiKeySecretObject};
use super::key_end;
use super::policy::PolicyObject;
use super::reading::parts;
use crate::auth::graphql::{operation, request, service};
use crate::clock::Timestamp;
use crate::deep_security::DeepSecurity;
use crate::deep_security::client::Request;
use crate::deep_security::manager::{Manager, path_of};
use crate::deep_security::model::{Expand, ObjectId};
use crate::deep_security::service::{AuditedChange, ChangeResult};
use crate::deep_security::wire::{self, ApiKey, Computer, KeyWithSecret, Policy, Resource};
use crate::error::{Error, Result};
use crate::outbound::Operation;
use crate::roles::Permission;

#[derive(Default)]
pub struct DeepSecurityMutation;

/// A manager that the caller may change things at.
struct Change<'a> {
    service: &'a Arc<DeepSecurity>,
    manager: Arc<Manager>,
    operation: &'a Operation,
    name: &'static str,
}

impl<'a> Change<'a> {
    async fn open(ctx: &Context<'a>, name: &'static str) -> Result<Self> {
        let scope = request(ctx)?.scope(Permission::WriteLegacy)?;
        let service = service::<DeepSecurity>(ctx)?;
        let manager = Arc::new(service.manager(&scope).await?);
        Ok(Self { service, manager, operation: operation(ctx)?, name })
    }

    /// When the caller's right to change legacy resources ends.
    async fn right_ends(&self) -> Result<Option<Timestamp>> {
        self.manager.scope.end_of(Permission::WriteLegacy).await
    }

    /// Sends a change of an object and reads what it is now.
    async fn send<T: Resource>(
        &self,
        before: Option<Value>,
        wanted: Value,
        request: Request,
    ) -> Result<T> {
        self.send_as(before, wanted, request, |made: &T| (made.id(), made.state())).await
    }

    /// Sends a change whose answer shows a secret.
    async fn send_for_secret(
        &self,
        manager: &Manager,
        before: Option<Value>,
        wanted: Value,
        request: Request,
    ) -> Result<ApiKeySecretObject> {
        let told = |made: &KeyWithSecret| (made.key.id, made.key.state());
        let made = self.send_by(manager, before, wanted, request, told).await?;
        Ok(ApiKeySecretObject::new(&self.manager, made))
    }

    async fn send_as<T: serde::de::DeserializeOwned>(
        &self,
        before: Option<Value>,
        wanted: Value,
        request: Request,
        told: impl FnOnce(&T) -> (i64, Value),
    ) -> Result<T> {
        self.send_by(&self.manager, before, wanted, request, told).await
    }

    async fn send_by<T: serde::de::DeserializeOwned>(
        &self,
        manager: &Manager,
        before: Option<Value>,
        wanted: Value,
        request: Request,
        told: impl FnOnce(&T) -> (i64, Value),
    ) -> Result<T> {
        let work = async {
            let value: T = manager.read(self.operation, &request).await?;
            let (id, after) = told(&value);
            Ok(ChangeResult { value, subject: id.to_string(), after: Some(after) })
        };
        self.service.change(manager, self.operation, self.audited(before, wanted), work).await
    }

    /// Deletes an object that is there.
    async fn delete<T: Resource>(&self, id: &str, expand: Option<&Expand>) -> Result<ID> {
        let (id, before) = self.before::<T>(id, expand).await?;
        let deleted = ID(self.manager.ids().global(T::NODE_KIND, id.0));
        let work = async {
            let sent = self.manager.send(self.operation, &Request::delete(path_of::<T>(id))).await;
            sent.map_err(|error| self.manager.named::<T>(error))?;
            Ok(ChangeResult { value: deleted, subject: id.0.to_string(), after: None })
        };
        self.service
            .change(&self.manager, self.operation, self.audited(Some(before), Value::Null), work)
            .await
    }

    /// What an object is before it is changed: NOT_FOUND if it is not there, and then nothing is
    /// sent.
    async fn before<T: Resource>(
        &self,
        id: &str,
        expand: Option<&Expand>,
    ) -> Result<(ObjectId, Value)> {
        let id = self.manager.ids().object(T::KIND, T::NODE_KIND, id)?;
        let found: T = self.manager.find(self.operation, id, expand).await?;
        Ok((id, found.state()))
    }

    fn audited(&self, before: Option<Value>, wanted: Value) -> AuditedChange {
        let subject = before.as_ref().map(|before| before["id"].to_string()).unwrap_or_default();
        AuditedChange { operation: self.name, subject, before, wanted }
    }
}

#[Object]
impl DeepSecurityMutation {
    /// Creates an API key in the tenant in context. The response shows its secret, which is never
    /// shown again. If the manager's response is lost, the error's `outcome` is UNKNOWN: look for
    /// the key by its name before retrying. Requires the permission to change legacy resources. A
    /// caller whose permission ends gets a key that expires with it by default; a later `expiresAt`
    /// is FORBIDDEN.
    async fn create_deep_security_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key to create.")] input: CreateDeepSecurityApiKeyInput,
    ) -> Result<Option<ApiKeySecretObject>> {
        let change = Change::open(ctx, "createDeepSecurityApiKey").await?;
        let mut body = input.check(change.manager.ids(), request(ctx)?.member_scope().now())?;
        body.expiry_date = key_end::of_new(body.expiry_date, change.right_ends().await?)?;
        let wanted = json!(body);
        let sent = Request::post(["apikeys".into()], Some(wire::write(&body)?));
        change.send_for_secret(&change.manager, None, wanted, sent).await.map(Some)
    }

    /// Changes or locks an API key of the tenant in context. Requires the permission to change
    /// legacy resources. FORBIDDEN if the caller's permission ends before the key expires and the
    /// change unlocks the key, extends it or gives it another role.
    async fn update_deep_security_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key's id: global or the vendor's.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateDeepSecurityApiKeyInput,
    ) -> Result<Option<ApiKeyObject>> {
        let change = Change::open(ctx, "updateDeepSecurityApiKey").await?;
        let body = input.check(change.manager.ids(), request(ctx)?.member_scope().now())?;
        let (id, before) = change.before::<ApiKey>(&id, None).await?;
        key_end::require_change(&before, &body, change.right_ends().await?)?;
        let sent = Request::post(path_of::<ApiKey>(id), Some(wire::write(&body)?));
        Ok(Some(ApiKeyObject::new(
            &change.manager,
            change.send(Some(before), json!(body), sent).await?,
        )))
    }

    /// Creates a new secret of an API key of the tenant in context. The response shows it, and it
    /// is never shown again. The previous secret stops working immediately. Requires the permission
    /// to change legacy resources. FORBIDDEN if the caller's permission ends before the key
    /// expires.
    async fn rotate_deep_security_api_key_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ApiKeySecretObject>> {
        let change = Change::open(ctx, "rotateDeepSecurityApiKeySecret").await?;
        let (id, before) = change.before::<ApiKey>(&id, None).await?;
        key_end::require_rotation(&before, change.right_ends().await?)?;
        let sent = Request::post(["apikeys".into(), id.into(), "secretkey".into()], None);
        change.send_for_secret(&change.manager, Some(before), Value::Null, sent).await.map(Some)
    }

    /// Deletes an API key of the tenant in context. Returns its global id. Requires the permission
    /// to change legacy resources.
    async fn delete_deep_security_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ID>> {
        Change::open(ctx, "deleteDeepSecurityApiKey")
            .await?
            .delete::<ApiKey>(&id, None)
            .await
            .map(Some)
    }

    /// Creates an API key for the tenant in context through the primary manager. The key always
    /// expires, by default after six hours, and never after the caller's permission ends: a later
    /// `expiresAt` is FORBIDDEN. CONFLICT if the tenant's link names no tenant of the upstream.
    /// Requires the permission to change legacy resources.
    async fn create_deep_security_tenant_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key to create.")] input: CreateDeepSecurityApiKeyInput,
    ) -> Result<Option<ApiKeySecretObject>> {
        let change = Change::open(ctx, "generateDeepSecurityTenantApiKey").await?;
        let now = request(ctx)?.member_scope().now();
        let mut body = input.check(change.manager.ids(), now)?;
        let right_ends = change.right_ends().await?;
        let usual = now.plus(TENANT_KEY_LIFETIME);
        let usual = right_ends.map_or(usual, |end| end.min(usual));
        body.expiry_date.get_or_insert(usual.millis());
        body.expiry_date = key_end::of_new(body.expiry_date, right_ends)?;
        let tenant = change.manager.remote_tenant()?.ok_or_else(|| {
            Error::conflict("the tenant's link names no tenant of the installation: use createDeepSecurityApiKey")
        })?;
        let path = ["tenants".into(), tenant.into(), "apikeys".into()];
        let (wanted, sent) = (json!(body), Request::post(path, Some(wire::write(&body)?)));
        change.send_for_secret(&change.manager.primary(), None, wanted, sent).await.map(Some)
    }

    /// Creates an API key for the tenant in context through the primary manager. The key always
    /// expires, by default after six hours, and never after the caller's permission ends: a later
    /// `expiresAt` is FORBIDDEN. CONFLICT if the tenant's link names no tenant of the upstream.
    /// Requires the permission to change legacy resources.
    #[graphql(deprecation = "use createDeepSecurityTenantApiKey; offered until 2027-12-31")]
    async fn generate_deep_security_tenant_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key to create.")] input: CreateDeepSecurityApiKeyInput,
    ) -> Result<Option<ApiKeySecretObject>> {
        self.create_deep_security_tenant_api_key(ctx, input).await
    }

    /// Creates a policy in the tenant in context. Requires the permission to change legacy
    /// resources.
    async fn create_deep_security_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy to create.")] input: DeepSecurityPolicyInput,
    ) -> Result<Option<PolicyObject>> {
        let change = Change::open(ctx, "createDeepSecurityPolicy").await?;
        let body = input.check(change.manager.ids())?;
        let sent = Request::post(["policies".into()], Some(wire::write(&body)?));
        Ok(Some(PolicyObject::new(&change.manager, change.send::<Policy>(None, body, sent).await?)))
    }

    /// Changes a policy of the tenant in context. Requires the permission to change legacy
    /// resources.
    async fn update_deep_security_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy's id: global or the vendor's.")] id: ID,
        #[graphql(desc = "The changes.")] input: DeepSecurityPolicyInput,
    ) -> Result<Option<PolicyObject>> {
        let change = Change::open(ctx, "updateDeepSecurityPolicy").await?;
        let body = input.check(change.manager.ids())?;
        let (id, before) = change.before::<Policy>(&id, None).await?;
        let sent = Request::post(path_of::<Policy>(id), Some(wire::write(&body)?));
        Ok(Some(PolicyObject::new(
            &change.manager,
            change.send::<Policy>(Some(before), body, sent).await?,
        )))
    }

    /// Deletes a policy of the tenant in context. Returns its global id. UPSTREAM_REJECTED while
    /// the policy is in use. Requires the permission to change legacy resources.
    async fn delete_deep_security_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ID>> {
        Change::open(ctx, "deleteDeepSecurityPolicy")
            .await?
            .delete::<Policy>(&id, None)
            .await
            .map(Some)
    }

    /// Changes a computer of the tenant in context. Requires the permission to change legacy
    /// resources.
    async fn update_deep_security_computer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The computer's id: global or the vendor's.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateDeepSecurityComputerInput,
    ) -> Result<Option<ComputerObject>> {
        let change = Change::open(ctx, "updateDeepSecurityComputer").await?;
        let (body, none) = (input.check(change.manager.ids())?, Expand::NONE);
        let (id, before) = change.before::<Computer>(&id, Some(&none)).await?;
        let sent = Request::post(path_of::<Computer>(id), Some(wire::write(&body)?));
        let sent = sent.with("expand", parts(ctx).options());
        Ok(Some(ComputerObject::new(&change.manager, change.send(Some(before), body, sent).await?)))
    }

    /// Deletes a computer of the tenant in context from the manager. Returns its global id.
    /// Requires the permission to change legacy resources.
    async fn delete_deep_security_computer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The computer's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ID>> {
        let none = Expand::NONE;
        Change::open(ctx, "deleteDeepSecurityComputer")
            .await?
            .delete::<Computer>(&id, Some(&none))
            .await
            .map(Some)
    }
}

/// As the vendor's own keys for tenants (`docs/reference/deep-security-api.md`, section 7).
const TENANT_KEY_LIFETIME: std::time::Duration = std::time::Duration::from_hours(6);
