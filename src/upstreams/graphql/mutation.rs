//! Mutations of upstreams and links.

use async_graphql::{Context, ID, MaybeUndefined, Object};
use futures_util::FutureExt;

use super::checks::{probe, verify_link};
use super::credential::{Given, kept};
use super::inputs::{LinkTenantInput, RegisterUpstreamInput, UpdateUpstreamInput};
use super::kinds::LegacySystem;
use super::loaders;
use super::objects::{UpstreamLinkObject, UpstreamObject};
use super::status::UpstreamStatus;
use crate::auth::graphql::{operation, request, service};
use crate::error::{Error, Result};
use crate::names::Name;
use crate::outbound::{BaseUrl, Outbound};
use crate::patch::Patch;
use crate::roles::Permission;
use crate::upstreams::Upstreams;
use crate::upstreams::link_check::LinkCheck;
use crate::upstreams::model::{self, NewLink, NewUpstream, System, Upstream, UpstreamChange};

/// Mutations of upstreams and links.
#[derive(Default)]
pub struct UpstreamMutation;

#[Object]
impl UpstreamMutation {
    /// Creates an upstream, owned by the tenant in context. The credential is stored encrypted and
    /// never shown again. The gateway does not contact the upstream, unless a session creates its
    /// first key; see `testUpstream`. Requires the permission to manage upstreams.
    async fn create_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream to create.")] input: RegisterUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let system = input.system.known()?;
        let name = Name::parse("name", &input.name)?;
        let base_url = BaseUrl::parse("baseURL", &input.base_url, upstreams.policy())?;
        let given = input.credential.check(system)?;
        let ca_certificate = input.ca_certificate.map(model::certificate).transpose()?;
        let time_zone = model::time_zone(input.time_zone)?;
        upstreams.can_register(&scope).await?;
        let makes_key = given.makes_key();
        let credential =
            given.credential(ctx, &scope, &base_url, ca_certificate.as_deref()).await?;
        let new = NewUpstream { name, system, base_url, credential, ca_certificate, time_zone };
        Ok(Some(kept(makes_key, upstreams.register(&scope, new).await)?.into()))
    }

    /// Creates an upstream, owned by the tenant in context. The credential is stored encrypted and
    /// never shown again. The gateway does not contact the upstream, unless a session creates its
    /// first key; see `testUpstream`. Requires the permission to manage upstreams.
    #[graphql(deprecation = "use createUpstream; offered until 2027-12-31")]
    async fn register_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream to create.")] input: RegisterUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        self.create_upstream(ctx, input).await
    }

    /// Changes an upstream of the tenant in context or one below it. A base URL at another host or
    /// without TLS, and other certificates, require the credential in the same request. CONFLICT if
    /// it was changed concurrently. Requires the permission to manage upstreams.
    async fn update_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
        #[graphql(desc = "The changes.")] input: UpdateUpstreamInput,
    ) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let before = upstreams.find(&scope, &id).await?;
        let system = System::from_name(&before.system)?;
        let parse = |url: &str| BaseUrl::parse("baseURL", url, upstreams.policy());
        let base_url = input.base_url.as_deref().map(parse).transpose()?;
        if input.credential.is_none() {
            same_host(base_url.as_ref(), parse(&before.base_url).ok().as_ref())?;
        }
        let name = input.name.map(|name| Name::parse("name", &name)).transpose()?;
        let given = input.credential.map(|credential| credential.check(system)).transpose()?;
        let ca_certificate = match input.ca_certificate {
            MaybeUndefined::Undefined => Patch::Keep,
            MaybeUndefined::Null => Patch::Clear,
            MaybeUndefined::Value(text) => Patch::Set(model::certificate(text)?),
        };
        if given.is_none() {
            same_authorities(&ca_certificate, &before)?;
        }
        let time_zone = input.time_zone.map(|zone| model::time_zone(Some(zone))).transpose()?;
        let makes_key = given.as_ref().is_some_and(Given::makes_key);
        let credential = match given {
            None => None,
            Some(given) => {
                let place = base_url.clone().map_or_else(|| parse(&before.base_url), Ok)?;
                let trusted = ca_certificate.applied(before.ca_certificate.as_ref());
                Some(given.credential(ctx, &scope, &place, trusted.as_deref()).await?)
            }
        };
        let change = UpstreamChange { name, base_url, credential, ca_certificate, time_zone };
        Ok(Some(kept(makes_key, upstreams.update(&scope, &before, change).await)?.into()))
    }

    /// Deletes an upstream of the tenant in context or one below it. CONFLICT while tenants are
    /// linked to it. Requires the permission to manage upstreams.
    async fn delete_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        Ok(Some(service::<Upstreams>(ctx)?.remove(&scope, &id).await?.into()))
    }

    /// Deletes an upstream of the tenant in context or one below it. CONFLICT while tenants are
    /// linked to it. Requires the permission to manage upstreams.
    #[graphql(deprecation = "use deleteUpstream; offered until 2027-12-31")]
    async fn remove_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamObject>> {
        self.delete_upstream(ctx, id).await
    }

    /// Tests whether an upstream of the tenant in context or one below it responds and accepts its
    /// credential. A failure is reported in `lastErrorCode`. Requires the permission to manage
    /// upstreams.
    async fn test_upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamStatus>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let connection = service::<Upstreams>(ctx)?.to_test(&scope, &id).await?;
        let tenant = connection.tenant;
        let upstream = connection.endpoint.upstream;
        let attempt = service::<Upstreams>(ctx)?.begin_test(&scope, &connection).await?;
        let asked = probe(ctx, &scope, connection).await;
        let ids = operation(ctx)?.upstream_request_ids();
        let mut status = service::<Outbound>(ctx)?.status(tenant, upstream);
        match asked {
            Ok(()) => attempt.succeeded(upstream.to_string(), None, &ids).await?,
            Err(error) => {
                error.log_cause();
                status.last_error = Some(error.code());
                attempt.failed(error, &ids).await;
            }
        }
        Ok(Some(UpstreamStatus::of(status, None)))
    }

    /// Links a gateway tenant to a tenant of an upstream. The upstream is asked for that tenant:
    /// NOT_FOUND or BAD_USER_INPUT naming `remoteTenantID` if it has none. If it cannot be asked
    /// now, the link is created with the `status.verification.state` PENDING, and the gateway asks
    /// again later. CONFLICT if the tenant already has a link to that kind of system, or if another
    /// gateway tenant is linked to that tenant of the upstream. Requires the permission to manage
    /// upstreams.
    async fn link_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The link to create.")] input: LinkTenantInput,
    ) -> Result<Option<UpstreamLinkObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let remote_tenant_id = input.remote_tenant_id.map(|id| id.0);
        let new = NewLink::parse(&input.tenant_id, &input.upstream_id, remote_tenant_id)?;
        let (owner, connection) = upstreams.to_link(&scope, &new).await?;
        let asked = verify_link(ctx, &owner, connection).boxed().await;
        let check = LinkCheck::of(&asked)?;
        if let Err(error) = asked {
            if check == LinkCheck::Missing {
                return Err(error);
            }
            error.log_cause();
        }
        Ok(Some(upstreams.link(&scope, NewLink { check, ..new }).await?.into()))
    }

    /// Tests whether the upstream of a link has the tenant that the link names. The link is that of
    /// a tenant in context or below it to its system of this kind. A failure is reported in
    /// `verification` and `lastErrorCode`. Requires the permission to manage upstreams.
    async fn test_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "tenantID", desc = "The id of the gateway tenant.")] tenant_id: ID,
        #[graphql(desc = "The kind of system of the link.")] system: LegacySystem,
    ) -> Result<Option<UpstreamStatus>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        let upstreams = service::<Upstreams>(ctx)?;
        let tenant = tenant_id.parse().map_err(|_| Error::not_found("tenant"))?;
        let (scope, link, connection) =
            upstreams.link_to_test(&scope, tenant, system.known()?).await?;
        let attempt = upstreams.begin_link_test(&scope, &link).await?;
        let asked = verify_link(ctx, &scope, connection.clone()).boxed().await;
        let check = LinkCheck::of(&asked);
        let last_error = asked.as_ref().err().map(Error::code);
        let ids = operation(ctx)?.upstream_request_ids();
        match asked {
            Ok(()) => attempt.succeeded(link.id.to_string(), None, &ids).await?,
            Err(error) => {
                error.log_cause();
                attempt.failed(error, &ids).await;
            }
        }
        let link = upstreams.record_check(&scope, &connection, check?).await?.unwrap_or(link);
        let mut status = service::<Outbound>(ctx)?.status(link.tenant_id, link.upstream_id);
        status.last_error = last_error;
        let key_expires_at = loaders::key_expires_at(ctx, &scope, &link).await?;
        let key_expires_at = key_expires_at.map(|at| at.to_string());
        Ok(Some(UpstreamStatus::of_link(status, key_expires_at, &link)))
    }

    /// Removes the link between a gateway tenant and an upstream. At the upstream, only the keys
    /// that the gateway minted for the tenant are deleted. Requires the permission to manage
    /// upstreams.
    async fn unlink_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The link's id.")] id: ID,
    ) -> Result<Option<UpstreamLinkObject>> {
        let scope = request(ctx)?.scope(Permission::ManageUpstreams)?;
        Ok(Some(service::<Upstreams>(ctx)?.unlink(&scope, &id).await?.into()))
    }
}

/// Refuses a new base URL to which the stored credential must not be sent; the old one is absent if
/// it is no longer valid.
fn same_host(new: Option<&BaseUrl>, old: Option<&BaseUrl>) -> Result<()> {
    if new.is_none_or(|new| old.is_some_and(|old| new.keeps_host_and_tls_of(old))) {
        return Ok(());
    }
    let needed = "a baseURL at another host, or without TLS, needs the credential for it";
    Err(Error::bad_input("credential", needed))
}

/// Refuses new certificates with which another host could get the stored credential.
fn same_authorities(change: &Patch<String>, before: &Upstream) -> Result<()> {
    if change.applied(before.ca_certificate.as_ref()) == before.ca_certificate {
        return Ok(());
    }
    let needed = "trust in other certificates needs the credential beside it";
    Err(Error::bad_input("credential", needed))
}
