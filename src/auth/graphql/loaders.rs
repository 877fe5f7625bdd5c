//! Loaders of one request: reads for rows of a list that are resolved concurrently become one
//! statement.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll};
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, ContextBase};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tracing::Instrument;

use super::request;
use crate::auth::{Access, RequestContext, TenantScope};
use crate::database::for_same_borrower;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::roles::Permission;

/// The reads of an operation's loaders that have not begun: one read serves all rows that ask before
/// it begins.
#[derive(Clone, Default)]
pub struct Batches(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl Batches {
    /// Begins and polls the reads. To be called whenever the operation is idle: by then every row that
    /// needs a read has asked for it.
    pub fn on_idle(&self) -> impl FnMut(&mut task::Context<'_>) + Send + use<> {
        let batches = self.clone();
        let mut running = FuturesUnordered::new();
        move |task| {
            running.extend(mem::take(&mut *batches.reads()));
            while let Poll::Ready(Some(())) = running.poll_next_unpin(task) {}
        }
    }

    fn reads(&self) -> MutexGuard<'_, Vec<BoxFuture<'static, ()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loaders of one request, by type and scope, so that scopes never share a read. They cache
/// nothing beyond the read.
#[derive(Default)]
pub struct Loaders {
    known: Mutex<HashMap<(TypeId, TenantScope), Arc<dyn Any + Send + Sync>>>,
    batches: Option<Batches>,
}

impl Loaders {
    /// Loaders of an operation that calls [`Batches::on_idle`]. The reads of others begin a
    /// millisecond after the first row asked.
    pub fn in_batches(batches: Batches) -> Self {
        Self { batches: Some(batches), ..Self::default() }
    }

    fn of<L: Send + Sync + 'static>(
        &self,
        scope: &TenantScope,
        make: impl FnOnce() -> L,
    ) -> Arc<DataLoader<L>> {
        let key = (TypeId::of::<L>(), scope.clone());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of_type = |known: Arc<dyn Any + Send + Sync>| known.downcast::<DataLoader<L>>().ok();
        if let Some(loader) = known.get(&key).cloned().and_then(of_type) {
            return loader;
        }
        let loader = match self.batches.clone() {
            Some(batches) => {
                let loader = DataLoader::new(make(), move |read| batches.reads().push(read));
                loader.delay(Duration::ZERO)
            }
            None => DataLoader::new(make(), |read| {
                tokio::spawn(for_same_borrower(read).in_current_span())
            }),
        };
        let loader = Arc::new(loader);
        known.insert(key, loader.clone());
        loader
    }
}

/// Loads one value, together with those that other rows ask for at the same time. `make` makes the
/// loader of the scope when it is first needed.
///
/// # Errors
/// Those of the loader.
pub async fn load<L, K, T>(
    ctx: &ContextBase<'_, T>,
    scope: &TenantScope,
    key: K,
    make: impl FnOnce() -> L,
) -> Result<Option<L::Value>>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    L: Loader<K, Error = Error>,
{
    let loaders = ctx
        .data_opt::<Loaders>()
        .ok_or_else(|| Error::internal("a request without loaders was executed"))?;
    loaders.of(scope, make).load_one(key).await
}

/// Loads the caller's access to tenants.
struct AccessLoader(TenantScope);

impl Loader<TenantId> for AccessLoader {
    type Value = Arc<Access>;
    type Error = Error;

    async fn load(&self, tenants: &[TenantId]) -> Result<HashMap<TenantId, Arc<Access>>> {
        self.0.access_in_each(tenants).await
    }
}

/// As [`TenantScope::access_in`], for many tenants of a list in one statement.
///
/// # Errors
/// If the database cannot be asked.
pub async fn access_in<T>(
    ctx: &ContextBase<'_, T>,
    request: &RequestContext,
    tenant: TenantId,
) -> Result<Arc<Access>> {
    let scope = request.member_scope();
    if let Some(known) = scope.known_access_in(tenant) {
        return Ok(known);
    }
    let loaded = load(ctx, &scope, tenant, || AccessLoader(scope.clone())).await?;
    loaded.ok_or_else(|| Error::internal("a tenant was not asked for"))
}

/// As [`TenantScope::within`] of the request's own scope, for many tenants of a list in one
/// statement.
///
/// # Errors
/// `FORBIDDEN`, in the same words whether the tenant is foreign, disabled or unknown, or no role
/// permits it there.
pub async fn scope_within(
    ctx: &Context<'_>,
    tenant: TenantId,
    permission: Permission,
) -> Result<TenantScope> {
    let request = request(ctx)?;
    // Load the access to all tenants first: the scope then finds it in memory.
    access_in(ctx, request, tenant).await?;
    request.member_scope().within(tenant, permission).await
}
