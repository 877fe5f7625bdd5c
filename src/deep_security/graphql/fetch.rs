//! Reads of single objects within an operation's budget.

use std::sync::Arc;

use async_graphql::Context;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::auth::graphql::operation;
use crate::deep_security::manager::Manager;
use crate::deep_security::model::{Expand, ObjectId};
use crate::deep_security::wire::Resource;
use crate::error::Result;
use crate::ids::TenantId;

/// Runs a read in the tenant's slot of the operation.
pub async fn in_slot<T>(
    ctx: &Context<'_>,
    tenant: TenantId,
    read: BoxFuture<'_, Result<T>>,
) -> Result<T> {
    operation(ctx)?.tenant_slot(tenant).await?.read(read).await
}

/// Reads an object by the id that a caller passed.
pub async fn fetch<T: Resource>(
    ctx: &Context<'_>,
    manager: &Manager,
    id: &str,
    expand: Option<&Expand>,
) -> Result<T> {
    let id = manager.ids().object(T::KIND, T::NODE_KIND, id)?;
    in_slot(ctx, manager.tenant(), manager.find(operation(ctx)?, id, expand).boxed()).await
}

/// Reads a referenced object, once in an operation, however many objects refer to it. Reference 0
/// means none.
pub async fn fetch_reference<T: Resource>(
    ctx: &Context<'_>,
    manager: &Manager,
    id: Option<i64>,
) -> Result<Option<Arc<T>>> {
    let Some(id) = id.filter(|id| *id != 0) else { return Ok(None) };
    let operation = operation(ctx)?;
    let find =
        || in_slot(ctx, manager.tenant(), manager.find(operation, ObjectId(id), None).boxed());
    let key = (manager.key(), format!("{}/{id}", T::COLLECTION));
    operation.once(key, find).boxed().await.map(Some)
}
