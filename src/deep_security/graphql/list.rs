//! The resolver of every list.

use std::sync::Arc;

use async_graphql::Context;
use futures_util::FutureExt;

use super::connection::{Connection, parse_after};
use super::connection_node::ConnectionNode;
use super::criteria::{DeepSecurityCriterion, criteria};
use super::fetch::in_slot;
use super::inline_resolve::InlineObject;
use super::selection::ConnectionSelection;
use crate::auth::graphql::operation;
use crate::deep_security::manager::Manager;
use crate::deep_security::model::Expand;
use crate::deep_security::query::ListQuery;
use crate::deep_security::wire::Resource;
use crate::error::Result;
use crate::graph::graphql::{charge_text, largest_text};

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
    let selection = ConnectionSelection::<N>::of(ctx)?;
    let plan = &selection.nodes.plan;
    let query = query::<N::Resource>(manager, arguments, selection.expand.clone())?;
    let operation = operation(ctx)?;
    let key = format!("{}{}", query.sharing_key::<N::Resource>(), plan.key());
    let read = || {
        let largest = largest_text(ctx);
        let listing = manager.list::<N::Resource>(operation, &query, plan, largest).boxed();
        in_slot(ctx, manager.tenant(), listing)
    };
    let listing = operation.shared((manager.key(), key), read).boxed().await?;
    charge_text(ctx, listing.uncovered(), listing.is_too_large)?;
    Ok(Some(InlineObject(Connection::new(manager, listing, has_previous, selection))))
}

fn query<T: Resource>(
    manager: &Manager,
    arguments: ListArguments,
    expand: Option<Expand>,
) -> Result<ListQuery> {
    let ListArguments { first, after, name, criteria: given } = arguments;
    let after = parse_after::<T>(manager, after.as_deref())?;
    let read_id = |argument: &str, id: &str| manager.ids().reference(argument, T::NODE_KIND, id);
    let query = ListQuery::parse(first, after, name.as_deref(), criteria(given, read_id)?)?;
    Ok(match expand {
        Some(expand) => query.expanded(expand),
        None => query,
    })
}
