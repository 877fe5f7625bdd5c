//! Checks of links that could not be verified when they were made.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::core::Core;
use crate::auth::{RequestId, TenantScope};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::random_uuid;
use crate::integration_server::service as integration_server;
use crate::outbound::Operation;
use crate::upstreams::{Connection, Link, LinkCheck, System};

/// How long a link is not checked again after its check failed.
const PAUSE: Duration = Duration::from_mins(1);

/// The number of links checked in one round, and concurrently.
const LINKS_A_ROUND: u64 = 200;
const AT_ONCE: usize = 8;

/// How long one check may take: an installation that does not answer must not hold up the round.
const DEADLINE: Duration = Duration::from_secs(10);

/// Checks those that are due. Several nodes may do it at once; a check only reads at the
/// installation.
///
/// # Errors
/// If the database refuses.
pub(super) async fn run(core: &Core) -> Result<()> {
    let before = core.environment.clock.now().minus(PAUSE);
    let links = core.upstreams.unverified_links(before, LINKS_A_ROUND).await?;
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut checks = JoinSet::new();
    for link in links {
        let core = core.clone();
        let permits = permits.clone();
        checks.spawn(async move {
            // Never closed.
            let _permit = permits.acquire_owned().await;
            if let Err(error) = check(&core, &link).await {
                error.log_cause();
            }
        });
    }
    while let Some(checked) = checks.join_next().await {
        checked.map_err(Error::internal)?;
    }
    Ok(())
}

async fn check(core: &Core, link: &Link) -> Result<()> {
    let request_id = RequestId::from(random_uuid(&*core.environment.entropy));
    let deadline = Instant::now() + DEADLINE;
    let operation = Operation::background(request_id.as_str().to_owned(), deadline);
    let scope = TenantScope::background(&core.authorizer, link.tenant_id, request_id);
    let connection = core.upstreams.connection_of(&scope, link).await?;
    let asked = tokio::time::timeout_at(deadline, ask(core, &scope, &connection, &operation));
    let asked = asked.await.unwrap_or_else(|_| {
        let message = "the legacy system did not answer in time";
        Err(Error::new(ErrorCode::UpstreamTimeout, message))
    });
    let check = LinkCheck::of(&asked)?;
    core.upstreams.record_check(&scope, &connection, check).await.map(drop)
}

async fn ask(
    core: &Core,
    scope: &TenantScope,
    connection: &Connection,
    operation: &Operation,
) -> Result<()> {
    match connection.system {
        System::DeepSecurity => {
            core.deep_security.verify_link(scope, connection.clone(), operation).await
        }
        System::IntegrationServer => {
            let outbound = Arc::clone(&core.outbound);
            integration_server::verify_link(outbound, operation, connection).await
        }
    }
}
