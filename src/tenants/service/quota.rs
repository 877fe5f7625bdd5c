//! How many tenants there may be below another.

use crate::auth::{Caller, TenantScope};
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::tenants::entity::counts_above;
use crate::tenants::model::Quotas;

impl Quotas {
    /// Requires that there is room for one more tenant below each tenant at or above the parent, so
    /// that no customer uses up what its partner may have. Creations of tenants wait for each
    /// other. The local operator is not counted.
    ///
    /// # Errors
    /// `CONFLICT` if there is none.
    pub(super) async fn require_room(
        self,
        write: &Write<'_>,
        scope: &TenantScope,
        parent: TenantId,
    ) -> Result<()> {
        if *scope.caller() == Caller::Operator {
            return Ok(());
        }
        write.lock(AdvisoryLock::TenantTree).await?;
        for count in counts_above(write.on(), parent).await? {
            let (most, setting) = if count.is_partner {
                (self.below_partner, "quotas.tenants_below_partner")
            } else {
                (self.below_tenant, "quotas.tenants_below_tenant")
            };
            if u64::try_from(count.below).unwrap_or(u64::MAX) >= most {
                return Err(Error::conflict(format!(
                    "parentTenantID: this tenant, or one above it, has {most} tenants below it, \
                    the most that it may have ({setting}); ask the operator of the gateway for more"
                )));
            }
        }
        Ok(())
    }
}
