//! The request's context inside a resolver.

mod loaders;

use async_graphql::Context;

use super::context::RequestContext;
use crate::error::{Error, Result};
use crate::outbound::Operation;

pub use loaders::{Loaders, access_in, load, scope_within};

/// The context that the door put into the request.
///
/// # Errors
/// If a request was executed without one, which no door does.
pub fn request<'a>(ctx: &Context<'a>) -> Result<&'a RequestContext> {
    ctx.data_opt::<RequestContext>()
        .ok_or_else(|| Error::internal("a request without context was executed"))
}

/// What counts the request's calls of legacy systems; the door put it into the request.
///
/// # Errors
/// As [`request`].
pub fn operation<'a>(ctx: &Context<'a>) -> Result<&'a std::sync::Arc<Operation>> {
    ctx.data_opt::<std::sync::Arc<Operation>>()
        .ok_or_else(|| Error::internal("a request without count was executed"))
}

/// A room of the house that the schema was built with.
///
/// # Errors
/// If the schema was built without it, which `App::build` does not do.
pub fn service<'a, T: Send + Sync + 'static>(ctx: &Context<'a>) -> Result<&'a std::sync::Arc<T>> {
    ctx.data_opt::<std::sync::Arc<T>>()
        .ok_or_else(|| Error::internal("a service is missing from the schema"))
}
