//! The options that clients and tenants are managed with.

use clap::Args;

use super::Output;
use crate::app::Core;
use crate::auth::TenantScope;
use crate::error::{Error, Result};

/// Options of every command on clients and tenants.
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
            (Some(id), _) => id.parse().map_err(|_| Error::not_found("tenant"))?,
            (None, [root]) => root.id,
            (None, []) => {
                return Err(Error::conflict("there is no tenant yet: run `tenant-gateway init`"));
            }
            (None, _) => {
                return Err(Error::bad_input(
                    "--tenant",
                    "is required, for there are several trees of tenants",
                ));
            }
        };
        let scope = core.operator(tenant);
        core.tenants.find(&scope, &tenant.to_string()).await?;
        Ok(scope)
    }
}
