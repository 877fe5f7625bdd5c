//! Mutations.

use std::time::Duration;

use async_graphql::{Context, ID, Object};
use serde_json::{Value, json};

use super::change::{Change, Intent};
use super::computer::ComputerObject;
use super::inputs::{
    CreateDeepSecurityApiKeyInput, DeepSecurityPolicyInput, UpdateDeepSecurityApiKeyInput,
    UpdateDeepSecurityComputerInput,
};
use super::key::{ApiKeyObject, ApiKeySecretObject};
use super::key_end;
use super::policy::PolicyObject;
use super::selection::selected_parts;
use crate::auth::graphql::request;
use crate::deep_security::client::ApiRequest;
use crate::deep_security::manager::path_of;
use crate::deep_security::model::Expand;
use crate::deep_security::wire::{self, ApiKey, Computer, Policy};
use crate::error::{Error, Result};

/// The vendor's default lifetime of keys for tenants (`docs/reference/deep-security-api.md`,
/// section 7).
const TENANT_KEY_LIFETIME: Duration = Duration::from_hours(6);

/// Mutations of Deep Security.
#[derive(Default)]
pub struct DeepSecurityMutation;

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
        body.expiry_date = key_end::of_new(body.expiry_date, change.permission_ends().await?)?;
        let sent = ApiRequest::post(["apikeys".into()], Some(wire::write(&body)?));
        let intent = Intent { before: None, wanted: json!(body) };
        change.send_for_secret(&change.manager, intent, sent).await.map(Some)
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
        key_end::require_change(&before, &body, change.permission_ends().await?)?;
        let sent = ApiRequest::post(path_of::<ApiKey>(id), Some(wire::write(&body)?));
        let intent = Intent { before: Some(before), wanted: json!(body) };
        let key = change.send(intent, sent).await?;
        Ok(Some(ApiKeyObject::new(&change.manager, key)))
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
        key_end::require_rotation(&before, change.permission_ends().await?)?;
        let sent = ApiRequest::post(["apikeys".into(), id.into(), "secretkey".into()], None);
        let intent = Intent { before: Some(before), wanted: Value::Null };
        change.send_for_secret(&change.manager, intent, sent).await.map(Some)
    }

    /// Deletes an API key of the tenant in context. Returns its global id. Requires the permission
    /// to change legacy resources.
    async fn delete_deep_security_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API key's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ID>> {
        let change = Change::open(ctx, "deleteDeepSecurityApiKey").await?;
        change.delete::<ApiKey>(&id, None).await.map(Some)
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
        let permission_ends = change.permission_ends().await?;
        let default = now.plus(TENANT_KEY_LIFETIME);
        let default = permission_ends.map_or(default, |end| end.min(default));
        body.expiry_date.get_or_insert(default.millis());
        body.expiry_date = key_end::of_new(body.expiry_date, permission_ends)?;
        let unlinked = || {
            Error::conflict(
                "the tenant's link names no tenant of the installation; \
                 use createDeepSecurityApiKey",
            )
        };
        let tenant = change.manager.remote_tenant()?.ok_or_else(unlinked)?;
        let path = ["tenants".into(), tenant.into(), "apikeys".into()];
        let sent = ApiRequest::post(path, Some(wire::write(&body)?));
        let intent = Intent { before: None, wanted: json!(body) };
        change.send_for_secret(&change.manager.primary(), intent, sent).await.map(Some)
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
        let sent = ApiRequest::post(["policies".into()], Some(wire::write(&body)?));
        let intent = Intent { before: None, wanted: body };
        let policy: Policy = change.send(intent, sent).await?;
        Ok(Some(PolicyObject::new(&change.manager, policy)))
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
        let sent = ApiRequest::post(path_of::<Policy>(id), Some(wire::write(&body)?));
        let intent = Intent { before: Some(before), wanted: body };
        let policy: Policy = change.send(intent, sent).await?;
        Ok(Some(PolicyObject::new(&change.manager, policy)))
    }

    /// Deletes a policy of the tenant in context. Returns its global id. UPSTREAM_REJECTED while
    /// the policy is in use. Requires the permission to change legacy resources.
    async fn delete_deep_security_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ID>> {
        let change = Change::open(ctx, "deleteDeepSecurityPolicy").await?;
        change.delete::<Policy>(&id, None).await.map(Some)
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
        let body = input.check(change.manager.ids())?;
        let (id, before) = change.before::<Computer>(&id, Some(&Expand::NONE)).await?;
        let sent = ApiRequest::post(path_of::<Computer>(id), Some(wire::write(&body)?));
        let sent = sent.with("expand", selected_parts(ctx).options());
        let intent = Intent { before: Some(before), wanted: body };
        let computer = change.send(intent, sent).await?;
        Ok(Some(ComputerObject::new(&change.manager, computer)))
    }

    /// Deletes a computer of the tenant in context from the manager. Returns its global id.
    /// Requires the permission to change legacy resources.
    async fn delete_deep_security_computer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The computer's id: global or the vendor's.")] id: ID,
    ) -> Result<Option<ID>> {
        let change = Change::open(ctx, "deleteDeepSecurityComputer").await?;
        change.delete::<Computer>(&id, Some(&Expand::NONE)).await.map(Some)
    }
}
