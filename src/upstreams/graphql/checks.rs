//! Calls that check an upstream or a link.

use std::time::Duration;

use async_graphql::Context;

use crate::auth::TenantScope;
use crate::auth::graphql::{operation, service};
use crate::deep_security::DeepSecurity;
use crate::error::{Error, ErrorCode, Result};
use crate::integration_server::service as integration_server;
use crate::outbound::Outbound;
use crate::upstreams::Connection;
use crate::upstreams::model::System;

/// Checks that an installation responds and accepts its credential.
///
/// # Errors
/// The error of the call.
pub(super) async fn probe(
    ctx: &Context<'_>,
    scope: &TenantScope,
    connection: Connection,
) -> Result<()> {
    let operation = operation(ctx)?;
    match connection.system {
        System::DeepSecurity => {
            service::<DeepSecurity>(ctx)?.probe(scope, connection, operation).await
        }
        System::IntegrationServer => {
            let outbound = service::<Outbound>(ctx)?.clone();
            integration_server::probe(outbound, operation, &connection).await
        }
    }
}

/// How long a check of a link may take. A link to an installation that does not answer stays
/// pending instead of keeping its caller waiting.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks an installation for the tenant that a link names.
///
/// # Errors
/// The error of the call; `UPSTREAM_TIMEOUT` if it takes too long.
pub(super) async fn verify_link(
    ctx: &Context<'_>,
    scope: &TenantScope,
    connection: Connection,
) -> Result<()> {
    let operation = operation(ctx)?;
    let outbound = service::<Outbound>(ctx)?.clone();
    let system = connection.system;
    let asked = async {
        match system {
            System::DeepSecurity => {
                service::<DeepSecurity>(ctx)?.verify_link(scope, connection, operation).await
            }
            System::IntegrationServer => {
                integration_server::verify_link(outbound, operation, &connection).await
            }
        }
    };
    tokio::time::timeout(CHECK_TIMEOUT, asked).await.unwrap_or_else(|_| {
        let message = "the legacy system did not answer in time";
        Err(Error::new(ErrorCode::UpstreamTimeout, message))
    })
}
