//! Watching a task.

use async_graphql::{Context, ID, Subscription};
use futures_util::{Stream, StreamExt};

use super::task::TaskObject;
use crate::auth::graphql::{request, service};
use crate::error::Result;
use crate::integration_server::IntegrationServer;
use crate::integration_server::tasks::watching::Watcher;
use crate::roles::Permission;

/// Subscriptions of the Integration Server.
#[derive(Default)]
pub struct IntegrationServerSubscription;

#[Subscription]
impl IntegrationServerSubscription {
    /// Watches a task on the tenant in context or one below it: its current state, then each
    /// change. The last event is sent twice, since some clients drop the last event of a stream.
    /// NOT_FOUND for any other task. Requires the permission to read legacy resources.
    async fn integration_server_task(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The task's id; the vendor's id is accepted as in `IntegrationServer.task`."
        )]
        id: ID,
    ) -> Result<impl Stream<Item = TaskObject> + use<>> {
        let scope = request(ctx)?.scope(Permission::ReadLegacy)?;
        let tasks = service::<IntegrationServer>(ctx)?.tasks().clone();
        let id = tasks.find(&scope, &id).await?.id;
        let watcher = Watcher::begin(&tasks, id);
        let record = tasks.reload(&scope, id).await?;
        let purpose = record.purpose()?;
        let changes = watcher.follow(&record)?;
        Ok(changes.map(move |snapshot| TaskObject::new(&record, snapshot, purpose, &scope)))
    }
}
