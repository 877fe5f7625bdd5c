//! The request's context inside a resolver.

mod loaders;

use async_graphql::Context;

use super::context::RequestContext;
use crate::error::{Error, Result};
use crate::outbound::Operation;

pub use loaders::{Batches, Loaders, access_in, load, scope_within};

/// The context of the request, which `http` attaches.
///
/// # Errors
/// If a request is executed without a context, which `http` never does.
pub fn request<'a>(ctx: &Context<'a>) -> Result<&'a RequestContext> {
    ctx.data_opt::<RequestContext>()
        .ok_or_else(|| Error::internal("a request without context was executed"))
}

/// The counter of the request's calls of legacy systems, which `http` attaches.
///
/// # Errors
/// As [`request`].
pub fn operation<'a>(ctx: &Context<'a>) -> Result<&'a std::sync::Arc<Operation>> {
    ctx.data_opt::<std::sync::Arc<Operation>>()
        .ok_or_else(|| Error::internal("a request without count was executed"))
}

/// A service that the schema was built with.
///
/// # Errors
/// If the schema was built without it, which `App::build` does not do.
pub fn service<'a, T: Send + Sync + 'static>(ctx: &Context<'a>) -> Result<&'a std::sync::Arc<T>> {
    ctx.data_opt::<std::sync::Arc<T>>()
        .ok_or_else(|| Error::internal("a service is missing from the schema"))
}
