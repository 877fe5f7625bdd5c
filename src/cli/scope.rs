//! Parts that the commands on clients, tenants, users and keys share.

use clap::Args;

use super::{Failure, Output};
use crate::app::{Core, Environment, require_database};
use crate::auth::TenantScope;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::TenantId;

/// Runs a command on the services of an existing database, and closes them whether or not it
/// succeeds.
///
/// # Errors
/// If there is no database yet, if it cannot be opened, and those of the command.
pub async fn with_core<T>(
    config: &Config,
    command: impl AsyncFnOnce(&Core) -> Result<T, Failure>,
) -> Result<T, Failure> {
    require_database(config)?;
    let core = Core::open(config, Environment::default()).await?;
    let done = command(&core).await;
    core.close().await;
    done
}

/// Options of every command on clients, tenants and users.
#[derive(Args)]
pub struct Common {
    /// The tenant to work in, with all below it; the top of the tree if there is just one.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    #[command(flatten)]
    pub output: Output,
}

impl Common {
    /// The operator's scope in the tenant of the options.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown tenant, `CONFLICT` on an empty database, `BAD_USER_INPUT` if
    /// there are several trees and none is named.
    pub async fn scope(&self, core: &Core) -> Result<TenantScope> {
        let roots = core.tenants.roots().await?;
        let tenant = match (&self.tenant, roots.as_slice()) {
            (Some(id), _) => parse_tenant_id("--tenant", id)?,
            (None, [root]) => root.id,
            (None, []) => {
                return Err(Error::conflict("there is no tenant yet: run `tenant-gateway init`"));
            }
            (None, _) => {
                return Err(Error::bad_input(
                    "--tenant",
                    "is required, since there are several trees of tenants",
                ));
            }
        };
        let scope = core.operator(tenant);
        core.tenants.find(&scope, &tenant.to_string()).await?;
        Ok(scope)
    }
}

/// Parses the id of a tenant, as given in `argument`.
///
/// # Errors
/// `BAD_USER_INPUT` if it is not a UUID: a name, most often.
pub fn parse_tenant_id(argument: &str, id: &str) -> Result<TenantId> {
    id.parse().map_err(|_| {
        let must = "must be the UUID of a tenant; `tenant-gateway tenant list` prints those";
        Error::bad_input(argument, must)
    })
}
