//! The resolver of every single object.

use async_graphql::Context;
use futures_util::FutureExt;

use super::connection_node::ConnectionNode;
use super::fetch::in_slot;
use super::links::read_linked;
use super::selection::ObjectSelection;
use crate::auth::graphql::operation;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::Resource;
use crate::error::Result;
use crate::graph::graphql::{JsonBuffer, Projected, charge_text, largest_text};

/// Reads an object by the id that a caller passed, and projects what is selected of it.
pub async fn object<N: ConnectionNode>(
    ctx: &Context<'_>,
    manager: &Manager,
    id: &str,
) -> Result<Option<Projected<N>>> {
    let selection = ObjectSelection::<N>::of(ctx)?;
    let plan = &selection.plan;
    let id = manager.ids().object(N::Resource::KIND, N::Resource::NODE_KIND, id)?;
    let get = manager.get::<N::Resource>(operation(ctx)?, id, selection.expand.as_ref()).boxed();
    let response = in_slot(ctx, manager.tenant(), get).await?;
    let object = manager.project::<N::Resource>(&response, id, plan, largest_text(ctx))?;
    charge_text(ctx, object.text.size(), object.is_too_large)?;
    let links = plan.links(0);
    let linked = read_linked(ctx, manager, links, object.text.gaps_of(1).iter()).await;
    let mut buffer = JsonBuffer::new(ctx, object.text.size());
    for error in linked.write(links, &object.text, 0, &mut buffer.json) {
        error.report(ctx, None);
    }
    buffer.finish().map(Some)
}
