//! Changing clients through the graph.

use std::time::Duration;

use async_graphql::{Context, ID, Object};

use super::inputs::{
    ClientRoleAssignmentInput, CreateClientInput, UpdateClientInput, limited, parse_roles,
};
use super::key_input::AddClientKeyInput;
use super::objects::{Client, NewClient};
use crate::auth::TenantScope;
use crate::auth::graphql::{request, service};
use crate::clients::model::{self, IdempotencyKey};
use crate::clients::{ClientChange, Clients, Created, DEFAULT_ROLE};
use crate::error::{Error, Result};
use crate::names::Name;
use crate::roles::Permission;

/// Mutations of clients.
#[derive(Default)]
pub struct ClientMutation;

/// All need the right to manage clients in the tenant in context. A client outside it and the
/// tenants below it is NOT_FOUND, whether it exists or not; one that holds a role that permits more
/// than the caller may do, or for longer, is FORBIDDEN.
#[Object]
impl ClientMutation {
    /// Creates a client in the tenant in context. The response shows its secret, which is never
    /// shown again. CONFLICT if the tenant has as many clients as the setting
    /// `quotas.clients_per_tenant` allows.
    async fn create_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The client's name, 1 to 255 characters without control characters; surrounding \
                space is trimmed. Not necessarily unique."
        )]
        name: String,
        #[graphql(desc = "The UUIDs of the roles to assign in the tenant in context. Default: \
                TenantAnalyst. An assignment expires no later than the caller's own grant of its \
                permissions.")]
        roles: Option<Vec<ID>>,
        #[graphql(desc = "Further properties of the client.")] input: Option<CreateClientInput>,
        #[graphql(
            desc = "An idempotency key, 1 to 255 visible ASCII characters, kept for a day. A \
                request with the same key and arguments returns the client that the first one \
                created; CONFLICT for other arguments."
        )]
        idempotency_key: Option<String>,
    ) -> Result<Option<NewClient>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let mut roles = parse_roles("roles", &limited("roles", roles)?.unwrap_or_default())?;
        if roles.is_empty() {
            roles.push(DEFAULT_ROLE);
        }
        let owner = input.unwrap_or_default().owner_tenant_id;
        let new = model::NewClient {
            name: Name::parse("name", &name)?,
            roles,
            owner: owner.map(|id| id.parse().map_err(|_| model::owner_forbidden())).transpose()?,
            idempotency_key: idempotency_key.as_deref().map(IdempotencyKey::parse).transpose()?,
        };
        let clients = service::<Clients>(ctx)?;
        Ok(Some(shown(clients, &scope, clients.create(&scope, new).await?)))
    }

    /// Creates a new secret of a client. The previous secret stops working immediately or after the
    /// grace period; any older one immediately.
    async fn rotate_client_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(
            desc = "Not supported: BAD_USER_INPUT if present. The gateway generates all secrets."
        )]
        secret: Option<String>,
        #[graphql(
            desc = "How long the previous secret remains valid, in seconds, 0 to 604800 (7 days). \
                Default: 0."
        )]
        grace_period_seconds: Option<i32>,
    ) -> Result<Option<NewClient>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        if secret.is_some() {
            return Err(Error::bad_input(
                "secret",
                "must be absent, for the gateway chooses secrets",
            ));
        }
        let clients = service::<Clients>(ctx)?;
        let grace = u64::try_from(grace_period_seconds.unwrap_or(0)).map(Duration::from_secs);
        let grace = grace.ok().filter(|grace| *grace <= clients.limits().grace_period_max);
        let grace = grace.ok_or_else(|| {
            let most = clients.limits().grace_period_max.as_secs();
            Error::bad_input("gracePeriodSeconds", &format!("must be 0 to {most}"))
        })?;
        Ok(Some(shown(clients, &scope, clients.rotate(&scope, &id, grace).await?)))
    }

    /// Creates a new secret of a client, and invalidates all its other secrets and all its tokens
    /// immediately. Its public keys stay valid; see `deleteClientKey`.
    async fn force_rotate_client_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
    ) -> Result<Option<NewClient>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(shown(clients, &scope, clients.force_rotate(&scope, &id).await?)))
    }

    /// Invalidates a secret of a client. For the old secret of a rotation this ends the grace
    /// period early; for the new one it undoes the rotation: the old one stays valid, without the
    /// `retiresAt` of its grace period. LAST_SECRET for the only valid one, unless the client has
    /// a public key or is disabled.
    async fn retire_client_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(name = "secretID", desc = "The secret's UUID, from the client's `secrets`.")]
        secret_id: ID,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.retire(&scope, &id, &secret_id).await?)))
    }

    /// Creates a public key of a client, which can then authenticate with `private_key_jwt` (RFC
    /// 7523) in place of a secret. A client has at most two keys; CONFLICT for a third, and for a
    /// key that it already has.
    async fn create_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(desc = "The public key.")] input: AddClientKeyInput,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.add_key(&scope, &id, &input.parse()?).await?)))
    }

    /// Creates a public key of a client, which can then authenticate with `private_key_jwt` (RFC
    /// 7523) in place of a secret. A client has at most two keys; CONFLICT for a third, and for a
    /// key that it already has.
    #[graphql(deprecation = "use createClientKey; offered until 2027-12-31")]
    async fn add_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(desc = "The public key.")] input: AddClientKeyInput,
    ) -> Result<Option<Client>> {
        self.create_client_key(ctx, id, input).await
    }

    /// Deletes a public key of a client. Tokens that were issued to the client remain valid;
    /// `forceRotateClientSecret` invalidates them. LAST_SECRET for the only credential of a client,
    /// unless the client is disabled.
    async fn delete_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(name = "keyID", desc = "The key's UUID, from the client's `keys`.")] key_id: ID,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.remove_key(&scope, &id, &key_id).await?)))
    }

    /// Deletes a public key of a client. Tokens that were issued to the client remain valid;
    /// `forceRotateClientSecret` invalidates them. LAST_SECRET for the only credential of a client,
    /// unless the client is disabled.
    #[graphql(deprecation = "use deleteClientKey; offered until 2027-12-31")]
    async fn remove_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(name = "keyID", desc = "The key's UUID, from the client's `keys`.")] key_id: ID,
    ) -> Result<Option<Client>> {
        self.delete_client_key(ctx, id, key_id).await
    }

    /// Renames, disables or enables a client. CONFLICT if it would disable the last administrator
    /// of a tenant.
    async fn update_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateClientInput,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let name = input.name.as_deref().map(|name| Name::parse("name", name)).transpose()?;
        let clients = service::<Clients>(ctx)?;
        let change = ClientChange { name, enabled: input.enabled };
        Ok(Some(seen(clients, &scope, clients.update(&scope, &id, change).await?)))
    }

    /// Assigns roles to a client, each in a tenant and those below it. Assigning a role again
    /// changes its expiry. FORBIDDEN for a role with more permissions than the caller has in that
    /// tenant. CONFLICT for an expiry that would leave a tenant without an administrator.
    async fn append_client_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(desc = "The roles to assign.")] roles: Vec<ClientRoleAssignmentInput>,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let roles = limited("roles", Some(roles))?.unwrap_or_default();
        let grants =
            roles.into_iter().map(ClientRoleAssignmentInput::parse).collect::<Result<Vec<_>>>()?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.append_roles(&scope, &id, grants).await?)))
    }

    /// Removes roles from a client. The id of a role removes it in every tenant, the id of an
    /// assignment removes only that one. Roles that the client does not have are ignored. CONFLICT
    /// for the last administrator of a tenant.
    async fn remove_client_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
        #[graphql(desc = "The UUIDs of roles or role assignments.")] roles: Vec<ID>,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let roles = limited("roles", Some(roles))?.unwrap_or_default();
        let roles: Vec<String> = roles.into_iter().map(|id| id.0).collect();
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.remove_roles(&scope, &id, &roles).await?)))
    }

    /// Deletes a client and invalidates its tokens. Returns the client as it was. CONFLICT for the
    /// last administrator of a tenant.
    async fn delete_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The client's UUID or `client_id`.")] id: ID,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.delete(&scope, &id).await?)))
    }
}

fn seen(clients: &Clients, scope: &TenantScope, client: model::Client) -> Client {
    Client::at(scope.now(), clients.limits().token_lifetime, client)
}

fn shown(clients: &Clients, scope: &TenantScope, created: Created) -> NewClient {
    NewClient::at(scope.now(), clients.limits().token_lifetime, created)
}
