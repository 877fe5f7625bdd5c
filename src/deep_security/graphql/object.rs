//! The resolver of every single object.

use async_graphql::{Context, OutputType};
use futures_util::FutureExt;

use super::connection::ConnectionNode;
use super::fetch::in_slot;
use super::links::read_linked;
use super::object_types::types;
use super::selection::expand;
use crate::auth::graphql::operation;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::Resource;
use crate::error::Result;
use crate::graph::graphql::{JsonBuffer, Projected, charge_text, largest_text, selected_fields};
use crate::projection::Plan;

/// Reads an object by the id that a caller passed, and projects what is selected of it.
pub async fn object<N: ConnectionNode>(
    ctx: &Context<'_>,
    manager: &Manager,
    id: &str,
) -> Result<Option<Projected<N>>> {
    let selected = selected_fields(&ctx.item.node.selection_set.node);
    let plan = Plan::new(types(), &<N as OutputType>::type_name(), &[&selected])?;
    let id = manager.ids().object(N::Resource::KIND, N::Resource::NODE_KIND, id)?;
    let expand = expand::<N::Resource>(&[&selected]);
    let get = manager.get::<N::Resource>(operation(ctx)?, id, expand.as_ref()).boxed();
    let response = in_slot(ctx, manager.tenant(), get).await?;
    let object = manager.project::<N::Resource>(&response, id, &plan, largest_text(ctx))?;
    charge_text(ctx, object.text.size(), object.is_too_large)?;
    let links = plan.links(0);
    let linked = read_linked(ctx, manager, links, object.text.gaps_of(1).iter()).await;
    let mut buffer = JsonBuffer::new(ctx, object.text.size());
    for error in linked.write(links, &object.text, 0, &mut buffer.json) {
        error.report(ctx, None);
    }
    buffer.finish().map(Some)
}
