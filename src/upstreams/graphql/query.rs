//! Queries of upstreams.

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;

use super::objects::{LIST_MAX, UpstreamObject, find};
use crate::auth::graphql::{request, service};
use crate::error::Result;
use crate::graph::graphql::{Connection, Page};
use crate::roles::Permission;
use crate::upstreams::Upstreams;
use crate::upstreams::model::Upstream;

/// Queries of upstreams.
#[derive(Default)]
pub struct UpstreamQuery;

#[Object]
impl UpstreamQuery {
    /// Lists the upstreams that the tenant in context owns, ordered by name. Requires the
    /// permission to read legacy resources.
    async fn upstreams(&self, ctx: &Context<'_>) -> Result<Option<Vec<UpstreamObject>>> {
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let upstreams = service::<Upstreams>(ctx)?.list(&scope).boxed().await?;
        Ok(Some(upstreams.into_iter().map(UpstreamObject::from).collect()))
    }

    /// Lists the upstreams that the tenant in context owns, ordered by name. Requires the
    /// permission to read legacy resources.
    async fn upstreams_connection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The page size, 1 to 1000. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<UpstreamObject>>> {
        let page = Page::read(first, after.as_deref(), LIST_MAX)?;
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let upstreams = service::<Upstreams>(ctx)?.list(&scope).boxed().await?;
        let key = |upstream: &Upstream| (upstream.name.clone(), upstream.id.to_string());
        Ok(Some(page.of(upstreams, key, UpstreamObject::from)))
    }

    /// Returns an upstream of the tenant in context or one below it. NOT_FOUND for any other.
    /// Requires the permission to read legacy resources.
    async fn upstream(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The upstream's id.")] id: ID,
    ) -> Result<Option<UpstreamObject>> {
        find(ctx, &id).boxed().await.map(Some)
    }
}
