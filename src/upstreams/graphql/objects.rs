//! Upstreams and links as objects, and the lookups that give them.

use async_graphql::{Context, ID, Object};

use super::kinds::{LegacySystem, UpstreamAuthentication};
use super::loaders;
use super::status::UpstreamStatus;
use crate::auth::graphql::{request, service};
use crate::error::{Error, Result};
use crate::graph::graphql::{Connection, Page, TenantReference};
use crate::ids::{LinkId, TenantId};
use crate::outbound::Outbound;
use crate::roles::Permission;
use crate::upstreams::Upstreams;
use crate::upstreams::model::{Link, Upstream};

/// The longest page. A tenant owns at most as many installations.
pub(super) const LIST_MAX: u64 = 1000;

/// An installation in the graph.
pub struct UpstreamObject {
    row: Upstream,
    come_by: ComeBy,
    /// Whether the tenant in context owns it or is above the owner.
    shows_details: bool,
}

/// How something was come by: the links of an upstream lead to it again, and each time there would
/// be as many more of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ComeBy {
    Itself,
    LinksOfUpstream,
}

impl ComeBy {
    fn reference(self, id: TenantId) -> TenantReference {
        TenantReference { id, within_links: self == Self::LinksOfUpstream }
    }
}

impl From<Upstream> for UpstreamObject {
    fn from(row: Upstream) -> Self {
        Self { row, come_by: ComeBy::Itself, shows_details: true }
    }
}

impl UpstreamObject {
    /// A detail that only the owner and the tenants above it may see.
    fn detail<'a, T>(&'a self, of: impl FnOnce(&'a Upstream) -> T) -> Option<T> {
        self.shows_details.then(|| of(&self.row))
    }
}

/// An installation of a legacy product. Its credential is never shown. A linked tenant that is
/// neither the owner nor above it sees only the id, name, system and its own links; all other
/// fields are null.
#[Object(name = "Upstream")]
impl UpstreamObject {
    /// The id. Opaque; unique across types.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// The display name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The kind of system.
    async fn system(&self) -> LegacySystem {
        LegacySystem::read(&self.row.system)
    }

    /// The kind of system as stored.
    async fn system_text(&self) -> &str {
        &self.row.system
    }

    /// The base URL: for Deep Security including `/api`, for an Integration Server the root.
    /// Visible to the owner only.
    #[graphql(name = "baseURL")]
    async fn base_url(&self) -> Option<&str> {
        self.detail(|row| row.base_url.as_str())
    }

    /// The tenant that owns the upstream; null if the caller cannot enter it.
    async fn owner(&self) -> Option<TenantReference> {
        self.detail(|row| self.come_by.reference(row.owner_tenant_id))
    }

    /// The id of the tenant that owns the upstream. Visible to the owner only.
    #[graphql(name = "ownerTenantID")]
    async fn owner_tenant_id(&self) -> Option<ID> {
        self.detail(|row| row.owner_tenant_id.to_string().into())
    }

    /// How the gateway authenticates. Visible to the owner only.
    async fn authentication(&self) -> Option<UpstreamAuthentication> {
        self.detail(|row| UpstreamAuthentication::read(&row.authentication))
    }

    /// The way of authentication as stored. Visible to the owner only.
    async fn authentication_text(&self) -> Option<&str> {
        self.detail(|row| row.authentication.as_str())
    }

    /// The IANA name of the time zone of dates without one. Visible to the owner only.
    async fn time_zone(&self) -> Option<&str> {
        self.detail(|row| row.time_zone.as_str())
    }

    /// The links of the tenant in context and those below it. BAD_USER_INPUT if nested in the links
    /// of an upstream.
    async fn links(&self, ctx: &Context<'_>) -> Result<Vec<UpstreamLinkObject>> {
        self.read_links(ctx, "links").await
    }

    /// Lists the links of the tenant in context and those below it, oldest first. BAD_USER_INPUT if
    /// nested in the links of an upstream.
    async fn links_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 1000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<UpstreamLinkObject>>> {
        let page = Page::read(first, after.as_deref(), LIST_MAX)?;
        let links = self.read_links(ctx, "linksConnection").await?;
        Ok(Some(page.of(links, UpstreamLinkObject::sort_key, |link| link)))
    }

    /// When the upstream was created, in RFC 3339. Visible to the owner only.
    async fn created_at(&self) -> Option<String> {
        self.detail(|row| row.created_at.to_string())
    }

    /// When the upstream was last changed, in RFC 3339. Visible to the owner only.
    async fn updated_at(&self) -> Option<String> {
        self.detail(|row| row.updated_at.to_string())
    }
}

impl UpstreamObject {
    async fn read_links(&self, ctx: &Context<'_>, field: &str) -> Result<Vec<UpstreamLinkObject>> {
        if self.come_by == ComeBy::LinksOfUpstream {
            return Err(Error::bad_input(
                field,
                "are not given within the links of an upstream: they are the same",
            ));
        }
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let links = loaders::links_to(ctx, &scope, self.row.id).await?;
        Ok(links
            .into_iter()
            .map(|row| UpstreamLinkObject { row, come_by: ComeBy::LinksOfUpstream })
            .collect())
    }
}

/// A link in the graph.
pub struct UpstreamLinkObject {
    row: Link,
    come_by: ComeBy,
}

impl From<Link> for UpstreamLinkObject {
    fn from(row: Link) -> Self {
        Self { row, come_by: ComeBy::Itself }
    }
}

impl UpstreamLinkObject {
    /// The sort key in lists of links: by creation time.
    pub fn sort_key(&self) -> (String, String) {
        (self.row.created_at.to_string(), self.row.id.to_string())
    }
}

/// The link between a gateway tenant and a tenant of an upstream.
#[Object(name = "UpstreamLink")]
impl UpstreamLinkObject {
    /// The id. Opaque; unique across types.
    pub async fn id(&self) -> ID {
        self.row.id.to_string().into()
    }

    /// The gateway tenant; null if the caller cannot enter it.
    async fn tenant(&self) -> Option<TenantReference> {
        Some(self.come_by.reference(self.row.tenant_id))
    }

    /// The id of the gateway tenant.
    #[graphql(name = "tenantID")]
    async fn tenant_id(&self) -> ID {
        self.row.tenant_id.to_string().into()
    }

    /// The upstream.
    async fn upstream(&self, ctx: &Context<'_>) -> Result<UpstreamObject> {
        let scope = request(ctx)?.member_scope();
        let found = loaders::linked(ctx, &scope, &self.row).await?;
        let shows_details = found.shows_details;
        Ok(UpstreamObject { row: found.upstream, come_by: self.come_by, shows_details })
    }

    /// The vendor's id of the upstream's tenant; null if the upstream's own credential belongs to
    /// the tenant, as in hosted Workload Security.
    #[graphql(name = "remoteTenantID")]
    async fn remote_tenant_id(&self) -> Option<ID> {
        self.row.remote_tenant_id.clone().map(ID)
    }

    /// The status of the tenant's calls to the upstream, as seen by the responding node.
    async fn status(&self, ctx: &Context<'_>) -> Result<UpstreamStatus> {
        let status = service::<Outbound>(ctx)?.status(self.row.tenant_id, self.row.upstream_id);
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let key_expires_at = loaders::key_expires_at(ctx, &scope, &self.row).await?;
        Ok(UpstreamStatus::of_link(status, key_expires_at.map(|at| at.to_string()), &self.row))
    }
}

/// The links of one tenant: what `Tenant.upstreamLinks` answers. `within_links` as in
/// [`TenantReference`].
///
/// # Errors
/// `FORBIDDEN` without the right to read legacy resources.
pub async fn links_of_tenant(
    ctx: &Context<'_>,
    tenant: TenantId,
    within_links: bool,
) -> Result<Vec<UpstreamLinkObject>> {
    let come_by = if within_links { ComeBy::LinksOfUpstream } else { ComeBy::Itself };
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    let links = loaders::links_of_tenant(ctx, &scope, tenant).await?;
    Ok(links.into_iter().map(|row| UpstreamLinkObject { row, come_by }).collect())
}

/// A link of the tenant in context or of one below it.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read legacy resources.
pub async fn find_link(ctx: &Context<'_>, id: LinkId) -> Result<UpstreamLinkObject> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    Ok(service::<Upstreams>(ctx)?.find_link(&scope, id).await?.into())
}

/// An installation that a tenant in context or below it owns or is linked to.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read legacy resources.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<UpstreamObject> {
    let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
    Ok(service::<Upstreams>(ctx)?.find(&scope, id).await?.into())
}
