//! Reading within what an operation may spend.

use std::sync::Arc;

use async_graphql::{Context, Lookahead, SelectionField};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::connection::after as read_after;
use super::criteria::{DeepSecurityCriterion, criteria};
use crate::auth::graphql::operation;
use crate::deep_security::listing::{Listing, Query};
use crate::deep_security::manager::Manager;
use crate::deep_security::model::{Expand, ObjectId};
use crate::deep_security::wire::Resource;
use crate::error::Result;
use crate::ids::TenantId;

/// The arguments of a list.
pub struct ListArguments<'a> {
    /// How many.
    pub first: Option<i32>,
    /// Behind which cursor.
    pub after: Option<&'a str>,
    /// Of which name.
    pub name: Option<&'a str>,
    /// For which all of this holds.
    pub criteria: Option<Vec<DeepSecurityCriterion>>,
    /// With which parts.
    pub expand: Option<Expand>,
}

/// Runs a read in the tenant's turn of the operation.
pub async fn reading<T>(
    ctx: &Context<'_>,
    tenant: TenantId,
    work: BoxFuture<'_, Result<T>>,
) -> Result<T> {
    operation(ctx)?.tenant_slot(tenant).await?.read(work).await
}

/// An object, asked for once an operation.
pub async fn once<T: Resource>(ctx: &Context<'_>, manager: &Manager, id: i64) -> Result<Arc<T>> {
    let operation = operation(ctx)?;
    let find =
        || reading(ctx, manager.tenant(), manager.find(operation, ObjectId(id), None).boxed());
    operation.once((manager.key(), format!("{}/{id}", T::COLLECTION)), find).boxed().await
}

/// One object.
pub async fn one<T: Resource>(
    ctx: &Context<'_>,
    manager: &Manager,
    id: &str,
    expand: Option<&Expand>,
) -> Result<T> {
    let id = manager.ids().object(T::KIND, T::NODE_KIND, id)?;
    reading(ctx, manager.tenant(), manager.find(operation(ctx)?, id, expand).boxed()).await
}

/// A list of objects. Fields that want the same list at the same time share one, however many
/// aliases it has.
pub async fn many<T: Resource, C: Send + Sync + 'static>(
    ctx: &Context<'_>,
    manager: &Arc<Manager>,
    wanted: ListArguments<'_>,
    connection: fn(&Arc<Manager>, Listing<T>, bool) -> C,
) -> Result<Arc<C>> {
    let begun = wanted.after.is_some();
    let after = read_after::<T>(manager, wanted.after)?;
    let query = Query::parse(
        wanted.first,
        after,
        wanted.name,
        criteria(wanted.criteria, |argument, id| {
            manager.ids().reference(argument, T::NODE_KIND, id)
        })?,
    )?;
    let query = match wanted.expand {
        Some(expand) => query.expanded(expand),
        None => query,
    };
    let operation = operation(ctx)?;
    let list = async || {
        let found = reading(ctx, manager.tenant(), manager.list(operation, &query).boxed()).await?;
        Ok(connection(manager, found, begun))
    };
    operation.shared((manager.key(), query.name::<T>()), list).boxed().await
}

/// What is selected of a computer below a field, through fragments.
pub fn parts(ctx: &Context<'_>) -> Expand {
    Expand::of(&ctx.field().selection_set().map(|field| field.name()).collect::<Vec<_>>())
}

/// What is selected of the computers of a connection.
pub fn parts_of_nodes(ctx: &Context<'_>) -> Expand {
    let selected = ctx.look_ahead();
    let computers = [selected.field("nodes"), selected.field("edges").field("node")];
    let computers = computers.iter().flat_map(Lookahead::selection_fields);
    let fields: Vec<_> =
        computers.flat_map(|computer| computer.selection_set().collect::<Vec<_>>()).collect();
    let has_rules =
        |field: &SelectionField<'_>| field.selection_set().any(|below| below.name() == "ruleIDs");
    let parts = Expand::of(&fields.iter().map(SelectionField::name).collect::<Vec<_>>());
    parts.with_rules(fields.iter().any(has_rules))
}
