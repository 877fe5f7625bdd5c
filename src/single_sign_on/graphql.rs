//! The identity provider of a tenant in the graph.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use futures_util::FutureExt;

use super::model::{NewProvider, Provider, ProviderSecret};
use super::service::{Link, SingleSignOn, Tested};
use crate::auth::graphql::{request, service};
use crate::error::{Error, Result};
use crate::graph::graphql::DateTime;
use crate::ids::UserId;
use crate::roles::graphql::RoleObject;
use crate::roles::{Permission, Role};
use crate::users::Users;
use crate::users::graphql::User;

/// The identity provider of a tenant, with the URIs that depend on the gateway's own URL.
pub struct IdentityProvider {
    provider: Provider,
    redirect_uris: Vec<String>,
}

/// The OpenID Connect provider at which the people of a tenant sign in. Its client secret is never
/// shown.
#[Object]
impl IdentityProvider {
    /// The id. Opaque; unique across types.
    async fn id(&self) -> ID {
        self.provider.id().to_string().into()
    }

    /// The issuer, exactly as the provider's metadata names it.
    async fn issuer(&self) -> &str {
        &self.provider.row.issuer
    }

    /// The gateway's client id at the provider.
    #[graphql(name = "clientID")]
    async fn client_id(&self) -> &str {
        &self.provider.row.client_id
    }

    /// The certificates in PEM that are trusted for this provider in place of the public
    /// authorities.
    async fn ca_certificate(&self) -> Option<&str> {
        self.provider.row.ca_certificate.as_deref()
    }

    /// The domains whose e-mail addresses the provider may vouch for, sorted.
    async fn domains(&self) -> &[String] {
        self.provider.domains()
    }

    /// The role of people who sign in for the first time; null if they must have been invited.
    async fn default_role(&self) -> Option<RoleObject> {
        self.provider.default_role().map(RoleObject::from)
    }

    /// When the default role ends, with the right of the administrator who set it: no accounts are
    /// made after that. Null if it has no end.
    async fn default_role_expires_at(&self) -> Option<DateTime> {
        self.provider.row.default_role_expires_at.map(DateTime)
    }

    /// The id of the one user who may sign in with a password all the same.
    #[graphql(name = "emergencyUserID")]
    async fn emergency_user_id(&self) -> Option<ID> {
        self.provider.row.emergency_user_id.map(|id| id.to_string().into())
    }

    /// Whether people sign in at the provider. If not, they sign in with passwords.
    async fn enabled(&self) -> bool {
        self.provider.row.enabled
    }

    /// The redirect URIs to register at the provider, both of them: the second is used if the
    /// provider does not name itself in its responses (RFC 9207). Empty if the gateway's operator
    /// has not set `server.public_url`.
    #[graphql(name = "redirectURIs")]
    async fn redirect_uris(&self) -> &[String] {
        &self.redirect_uris
    }

    /// The path of the gateway's page that sends people to this provider, whatever their address.
    async fn sign_in_path(&self) -> String {
        format!("/login/sso?provider={}", self.provider.id())
    }

    /// When the provider was first set, in RFC 3339.
    async fn created_at(&self) -> DateTime {
        DateTime(self.provider.row.created_at)
    }

    /// When the provider was last changed, in RFC 3339.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.provider.row.updated_at)
    }
}

/// The result of a test of an identity provider.
#[derive(SimpleObject)]
pub struct IdentityProviderTest {
    /// Whether metadata and keys of the provider could be read and are valid.
    ok: bool,
    /// The problem, if there is one.
    problem: Option<String>,
    /// The URL at which people sign in.
    authorization_endpoint: Option<String>,
    /// Whether the provider names itself in its responses (RFC 9207).
    names_itself: Option<bool>,
}

impl From<Tested> for IdentityProviderTest {
    fn from(tested: Tested) -> Self {
        let ok = tested.problem.is_none();
        Self {
            ok,
            problem: tested.problem.map(|problem| problem.to_string()),
            authorization_endpoint: tested.authorization_endpoint,
            names_itself: ok.then_some(tested.names_itself),
        }
    }
}

/// The identity provider to set. Omitted fields are not kept from the present one, except for the
/// client secret.
#[derive(InputObject)]
pub struct SetIdentityProviderInput {
    /// The issuer, exactly as the provider's metadata names it, at most 2048 bytes. HTTPS; plain
    /// HTTP, loopback and private networks only if the gateway's operator sets
    /// `upstream.allow_private_addresses`.
    issuer: String,
    /// The gateway's client id at the provider, 1 to 255 printable ASCII characters.
    #[graphql(name = "clientID")]
    client_id: String,
    /// The gateway's client secret at the provider, 1 to 4096 printable ASCII characters. Default:
    /// the present one; required for a new provider, another issuer or other certificates.
    client_secret: Option<String>,
    /// Certificates in PEM that are trusted for this provider in place of the public authorities.
    ca_certificate: Option<String>,
    /// The domains whose e-mail addresses the provider may vouch for, 1 to 50, such as
    /// `example.com`.
    domains: Vec<String>,
    /// The id of the role of people who sign in for the first time without an invitation. Default:
    /// people must have been invited.
    default_role: Option<ID>,
    /// The id of the one user who may sign in with a password all the same.
    #[graphql(name = "emergencyUserID")]
    emergency_user_id: Option<ID>,
    /// Whether people sign in at the provider. Default: true.
    enabled: Option<bool>,
}

impl SetIdentityProviderInput {
    fn read(self) -> Result<NewProvider> {
        let unknown =
            |_| Error::bad_input("emergencyUserID", "must be a user of the tenant in context");
        let emergency_user = self.emergency_user_id.map(|id| id.parse::<UserId>().map_err(unknown));
        let default_role = self.default_role.map(|id| Role::parse("defaultRole", &id));
        Ok(NewProvider {
            issuer: self.issuer,
            client_id: self.client_id,
            client_secret: self.client_secret.map(ProviderSecret::parse).transpose()?,
            ca_certificate: self.ca_certificate,
            domains: self.domains,
            default_role: default_role.transpose()?,
            emergency_user: emergency_user.transpose()?,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}

fn shown(service: &SingleSignOn, provider: Provider) -> IdentityProvider {
    IdentityProvider { redirect_uris: service.redirect_uris(provider.id()), provider }
}

/// The account of a user at the identity provider of their tenant.
#[derive(SimpleObject)]
pub struct UserIdentity {
    /// The issuer of the provider.
    issuer: String,
    /// The subject of the account at the provider.
    subject: String,
    /// When the user was linked to the account.
    linked_at: DateTime,
}

impl From<Link> for UserIdentity {
    fn from(link: Link) -> Self {
        let Link { issuer, subject, created_at } = link;
        Self { issuer, subject, linked_at: DateTime(created_at) }
    }
}

/// Queries of identity providers.
#[derive(Default)]
pub struct SingleSignOnQuery;

#[Object]
impl SingleSignOnQuery {
    /// The identity provider of the tenant in context; null if its people sign in with passwords.
    /// Requires the permission to read users.
    async fn identity_provider(&self, ctx: &Context<'_>) -> Result<Option<IdentityProvider>> {
        let scope = request(ctx)?.scope(Permission::ReadUsers)?;
        let service = service::<SingleSignOn>(ctx)?;
        Ok(service.find(&scope).await?.map(|provider| shown(service, provider)))
    }

    /// The account that a user signs in with at the identity provider of their tenant; null if they
    /// are not linked to one. NOT_FOUND for a user outside the tenant in context and those below
    /// it. Requires the permission to read users.
    async fn user_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "userID", desc = "The user's UUID.")] user_id: ID,
    ) -> Result<Option<UserIdentity>> {
        let scope = request(ctx)?.scope(Permission::ReadUsers)?;
        let user = service::<Users>(ctx)?.find(&scope, &user_id).boxed().await?;
        let link = service::<SingleSignOn>(ctx)?.link_of(user.id()).boxed().await?;
        Ok(link.map(UserIdentity::from))
    }
}

/// Mutations of identity providers.
#[derive(Default)]
pub struct SingleSignOnMutation;

#[Object]
impl SingleSignOnMutation {
    /// Sets the identity provider at which the people of the tenant in context sign in, in place of
    /// the present one. Sign-in with a password is then off for them, except for the emergency
    /// user. A change of the issuer removes the links between users and accounts.
    /// FORBIDDEN if a user of the tenant may do more than the caller. Requires the permission to
    /// manage users.
    async fn set_identity_provider(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The provider.")] input: SetIdentityProviderInput,
    ) -> Result<Option<IdentityProvider>> {
        let scope = request(ctx)?.scope(Permission::ManageUsers)?;
        let service = service::<SingleSignOn>(ctx)?;
        let new = input.read()?.check(service.policy())?;
        Ok(Some(shown(service, service.set(&scope, new).await?)))
    }

    /// Removes the identity provider of the tenant in context, whose people sign in with passwords
    /// again; those without one need a new link. Returns its id. Requires the permission to manage
    /// users.
    async fn remove_identity_provider(&self, ctx: &Context<'_>) -> Result<Option<ID>> {
        let scope = request(ctx)?.scope(Permission::ManageUsers)?;
        let removed = service::<SingleSignOn>(ctx)?.remove(&scope).await?;
        Ok(Some(removed.to_string().into()))
    }

    /// Removes the link between a user and their account at the identity provider, and ends the
    /// user's sessions and tokens. The next sign-in at the provider links the account with the
    /// user's address. NOT_FOUND for a user outside the tenant in context and those below it, and
    /// for one without a link; FORBIDDEN for a user with a role that permits more than the caller
    /// may do, or for longer; CONFLICT for the last administrator of a tenant. Requires the
    /// permission to manage users.
    async fn unlink_user_identity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<User>> {
        let scope = request(ctx)?.scope(Permission::ManageUsers)?;
        let users = service::<Users>(ctx)?;
        service::<SingleSignOn>(ctx)?.unlink(users, &scope, &id).boxed().await?;
        Ok(Some(users.find(&scope, &id).boxed().await?.into()))
    }

    /// Reads metadata and keys of the tenant's identity provider, as a sign-in does. Requires the
    /// permission to manage users.
    async fn test_identity_provider(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<IdentityProviderTest>> {
        let scope = request(ctx)?.scope(Permission::ManageUsers)?;
        Ok(Some(service::<SingleSignOn>(ctx)?.test(&scope).await?.into()))
    }
}
