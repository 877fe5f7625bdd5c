//! Changing clients through the graph.

use std::time::Duration;

use async_graphql::{Context, ID, Object};

use super::inputs::{
    AddClientKeyInput, ClientRoleAssignmentInput, CreateClientInput, UpdateClientInput, limited,
    parse_roles,
};
use super::objects::{Client, NewClient};
use crate::auth::TenantScope;
use crate::auth::graphql::{request, service};
use crate::clients::model::{self, IdempotencyKey};
use crate::clients::{ClientChange, Clients, Created, DEFAULT_ROLE};
use crate::error::{Error, Result};
use crate::names::Name;
use crate::roles::Permission;

#[derive(Default)]
pub struct ClientMutation;

/// All need the right to manage clients in the tenant in context. A client outside it and the
/// tenants below it is NOT_FOUND, whether it exists or not; one that holds a role that permits more
/// than the caller may do, or for longer, is FORBIDDEN.
#[Object]
impl ClientMutation {
    /// Makes a client in the tenant in context. The answer shows its secret, and nothing ever shows
    /// it again. CONFLICT for more clients than the setting `quotas.clients_per_tenant` allows.
    async fn create_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "1 to 255 characters, space around it cut off, no control characters; need not be unique."
        )]
        name: String,
        #[graphql(
            desc = "The roles that it gets in the tenant in context, by UUID; TenantAnalyst if absent or empty. A role lasts as long as the caller's own hold on what it permits."
        )]
        roles: Option<Vec<ID>>,
        input: Option<CreateClientInput>,
        #[graphql(
            desc = "1 to 255 visible ASCII characters. A repeated request with the same key and arguments makes nothing new and gives the same client; with other arguments it is a CONFLICT. Remembered for a day."
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

    /// Gives a client a new secret; its id, name and roles stay. The secret before stops at once,
    /// or after the grace period; any older one stops at once.
    async fn rotate_client_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        #[graphql(
            desc = "Must be absent: the gateway chooses secrets, so that none is weak. BAD_USER_INPUT otherwise."
        )]
        secret: Option<String>,
        #[graphql(
            desc = "How long the secret before works on, in seconds: 0 if absent, 604800 (7 days) at most."
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

    /// Gives a client a new secret, and ends all its other secrets and all its tokens at once. Its
    /// keys stay: take one away with `removeClientKey`.
    async fn force_rotate_client_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
    ) -> Result<Option<NewClient>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(shown(clients, &scope, clients.force_rotate(&scope, &id).await?)))
    }

    /// Ends one secret of a client now. LAST_SECRET for the only one that works, unless the client
    /// has a key or is disabled.
    async fn retire_client_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        #[graphql(name = "secretID", desc = "The `id` in the client's `secrets`.")] secret_id: ID,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.retire(&scope, &id, &secret_id).await?)))
    }

    /// Gives a client a public key, so that it may prove itself by a signature (`private_key_jwt`,
    /// RFC 7523) instead of by a secret. It has two at most, one in use and one to take over; a
    /// third is a CONFLICT, as is one that it has.
    async fn create_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        input: AddClientKeyInput,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.add_key(&scope, &id, &input.parse()?).await?)))
    }

    /// Gives a client a public key, so that it may prove itself by a signature (`private_key_jwt`,
    /// RFC 7523) instead of by a secret. It has two at most, one in use and one to take over; a
    /// third is a CONFLICT, as is one that it has.
    #[graphql(deprecation = "use createClientKey; offered until 2027-12-31")]
    async fn add_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        input: AddClientKeyInput,
    ) -> Result<Option<Client>> {
        self.create_client_key(ctx, id, input).await
    }

    /// Takes a public key from a client, which no longer proves itself with it. Tokens that it was
    /// given live on; to end them, use `forceRotateClientSecret`. LAST_SECRET for the only
    /// credential of a client, unless the client is disabled.
    async fn delete_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        #[graphql(name = "keyID", desc = "The `id` in the client's `keys`.")] key_id: ID,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.remove_key(&scope, &id, &key_id).await?)))
    }

    /// Takes a public key from a client, which no longer proves itself with it. Tokens that it was
    /// given live on; to end them, use `forceRotateClientSecret`. LAST_SECRET for the only
    /// credential of a client, unless the client is disabled.
    #[graphql(deprecation = "use deleteClientKey; offered until 2027-12-31")]
    async fn remove_client_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        #[graphql(name = "keyID", desc = "The `id` in the client's `keys`.")] key_id: ID,
    ) -> Result<Option<Client>> {
        self.delete_client_key(ctx, id, key_id).await
    }

    /// Renames, disables or enables a client. CONFLICT for disabling the last administrator of a
    /// tenant.
    async fn update_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        input: UpdateClientInput,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let name = input.name.as_deref().map(|name| Name::parse("name", name)).transpose()?;
        let clients = service::<Clients>(ctx)?;
        let change = ClientChange { name, enabled: input.enabled };
        Ok(Some(seen(clients, &scope, clients.update(&scope, &id, change).await?)))
    }

    /// Gives roles to a client, each in a tenant, which reach all tenants below it. Giving one
    /// again changes its end. FORBIDDEN for a role that permits more than the caller may do in that
    /// tenant. CONFLICT for an end that would leave a tenant without an administrator.
    async fn append_client_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        roles: Vec<ClientRoleAssignmentInput>,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let roles = limited("roles", Some(roles))?.unwrap_or_default();
        let grants =
            roles.into_iter().map(ClientRoleAssignmentInput::parse).collect::<Result<Vec<_>>>()?;
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.append_roles(&scope, &id, grants).await?)))
    }

    /// Takes roles from a client. An id of a role takes it in every tenant where the client holds
    /// it, an id of an assignment takes that one; a role that the client does not hold is no error.
    /// CONFLICT for the last administrator of a tenant.
    async fn remove_client_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
        #[graphql(desc = "UUIDs of roles or of assignments.")] roles: Vec<ID>,
    ) -> Result<Option<Client>> {
        let scope = request(ctx)?.scope(Permission::ManageClients)?;
        let roles = limited("roles", Some(roles))?.unwrap_or_default();
        let roles: Vec<String> = roles.into_iter().map(|id| id.0).collect();
        let clients = service::<Clients>(ctx)?;
        Ok(Some(seen(clients, &scope, clients.remove_roles(&scope, &id, &roles).await?)))
    }

    /// Deletes a client: it gets no more tokens, and those that it has are refused from now on. The
    /// answer is the client as it was; a second time it is NOT_FOUND. CONFLICT for the last
    /// administrator of a tenant.
    async fn delete_client(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "UUID or `client_id`.")] id: ID,
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
