//! References from other objects to a tenant.
//!
//! Tenants lead to upstreams, and upstreams back to tenants. Rooms before `tenants` know a tenant
//! only by its id; the schema provides the resolver.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use futures_util::future::BoxFuture;

use crate::error::Error;
use crate::ids::TenantId;

/// A tenant in the graph, loaded when it is selected: null if the caller cannot enter it.
#[derive(Clone, Copy)]
pub struct TenantReference {
    /// The tenant.
    pub id: TenantId,
    /// Whether it was reached through the links of an upstream. Links lead to tenants, tenants to
    /// links, and links to upstreams, so that nesting would grow exponentially.
    pub within_links: bool,
}

/// Resolves a reference to a tenant.
#[derive(Clone, Copy)]
pub struct TenantResolver(pub Resolve);

type Resolve = for<'a> fn(
    &'a ContextSelectionSet<'a>,
    &'a Positioned<Field>,
    TenantReference,
) -> BoxFuture<'a, ServerResult<Value>>;

impl OutputType for TenantReference {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Tenant")
    }

    /// The type itself is registered by the room of tenants.
    fn create_type_info(_: &mut Registry) -> String {
        <Self as OutputType>::qualified_type_name()
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match ctx.data_opt::<TenantResolver>() {
            Some(resolver) => (resolver.0)(ctx, field, *self).await,
            None => {
                let missing =
                    async_graphql::Error::from(Error::internal("the schema resolves no tenants"));
                Err(ctx.set_error_path(missing.into_server_error(field.pos)))
            }
        }
    }
}
