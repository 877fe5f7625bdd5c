//! The resolver of every list.

use std::sync::Arc;

use async_graphql::{Context, OutputType};
use futures_util::FutureExt;

use super::connection::{Connection, ConnectionNode, node_key, parse_after};
use super::criteria::{DeepSecurityCriterion, criteria};
use super::fetch::in_slot;
use super::inline_resolve::InlineObject;
use super::object_types::types;
use super::selection::expand;
use crate::auth::graphql::operation;
use crate::deep_security::manager::Manager;
use crate::deep_security::query::ListQuery;
use crate::deep_security::wire::Resource;
use crate::error::Result;
use crate::graph::graphql::{charge_text, largest_text, selected_fields};
use crate::projection::{Plan, Selected};

/// The arguments of a list.
pub struct ListArguments {
    /// The number of objects.
    pub first: Option<i32>,
    /// The cursor that the list continues after.
    pub after: Option<String>,
    /// The name pattern.
    pub name: Option<String>,
    /// The criteria, all of which must hold.
    pub criteria: Option<Vec<DeepSecurityCriterion>>,
}

/// A list in the graph.
pub type List<N> = InlineObject<Connection<N>>;

/// Resolves a list. Fields of an operation that select the same list at the same time share one
/// read, however many aliases there are.
pub async fn list<N: ConnectionNode>(
    ctx: &Context<'_>,
    manager: &Arc<Manager>,
    arguments: ListArguments,
) -> Result<Option<List<N>>> {
    let has_previous = arguments.after.is_some();
    let selected = selected_fields(&ctx.item.node.selection_set.node);
    let nodes = selected_nodes(&selected);
    let selections: Vec<&[Selected]> = nodes.iter().map(|(_, fields)| *fields).collect();
    let plan = Arc::new(Plan::new(types(), &<N as OutputType>::type_name(), &selections)?);
    let query = query::<N::Resource>(manager, arguments, &selections)?;
    let operation = operation(ctx)?;
    let key = format!("{}{}", query.sharing_key::<N::Resource>(), plan.key());
    let read = || {
        let largest = largest_text(ctx);
        let listing = manager.list::<N::Resource>(operation, &query, &plan, largest).boxed();
        in_slot(ctx, manager.tenant(), listing)
    };
    let listing = operation.shared((manager.key(), key), read).boxed().await?;
    charge_text(ctx, listing.uncovered(), listing.is_too_large)?;
    let outputs = nodes.into_iter().map(|(key, _)| key).collect();
    Ok(Some(InlineObject(Connection::new(manager, listing, has_previous, plan, outputs))))
}

/// The selections of the nodes of a connection, by the response keys that lead to them.
fn selected_nodes(connection: &[Selected]) -> Vec<(String, &[Selected])> {
    let mut nodes = Vec::new();
    for field in connection {
        match field.name.as_str() {
            "nodes" => nodes.push((field.key.clone(), field.below.as_slice())),
            "edges" => {
                let below = field.below.iter().filter(|below| below.name == "node");
                nodes.extend(
                    below.map(|node| (node_key(&field.key, &node.key), node.below.as_slice())),
                );
            }
            _ => {}
        }
    }
    nodes
}

fn query<T: Resource>(
    manager: &Manager,
    arguments: ListArguments,
    selections: &[&[Selected]],
) -> Result<ListQuery> {
    let ListArguments { first, after, name, criteria: given } = arguments;
    let after = parse_after::<T>(manager, after.as_deref())?;
    let read_id = |argument: &str, id: &str| manager.ids().reference(argument, T::NODE_KIND, id);
    let query = ListQuery::parse(first, after, name.as_deref(), criteria(given, read_id)?)?;
    Ok(match expand::<T>(selections) {
        Some(expand) => query.expanded(expand),
        None => query,
    })
}
