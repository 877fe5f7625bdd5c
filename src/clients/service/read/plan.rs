//! Chooses how the statement of a list finds the clients of a scope.

use crate::auth::TenantScope;
use crate::clients::model::{ClientFilter, ClientOrder, SortBy};
use crate::clients::service::Clients;
use crate::error::Result;
use crate::tenants::entity::{ScopeFilter, has_more_rows};

/// So many clients are read tenant by tenant and sorted in some milliseconds.
pub(super) const FEW: u32 = 10_000;

/// The last row of a page near the start. Looking each row up in the tree costs less up to here
/// than collecting the tenants of a large scope.
const NEAR: u64 = 200;

impl Clients {
    /// How to find the page that ends at that row of the list; `rare` as in
    /// [`Clients::rare_run`](super::Clients).
    pub(super) async fn plan(
        &self,
        scope: &TenantScope,
        filter: &ClientFilter,
        rare: Option<&str>,
        order: ClientOrder,
        end: u64,
    ) -> Result<ScopeFilter> {
        if rare.is_some() || filter.client_ids.is_some() {
            return Ok(ScopeFilter::EachRow);
        }
        let has_index = has_index(order.by);
        let near = end <= NEAR && filter.roles.is_none() && has_index;
        let of_tenants = !filter.tenants.is_empty();
        let is_sqlite = self.database.is_sqlite();
        // PostgreSQL has statistics of its tables, by which it finds a page near the start as well,
        // and reads a table in parallel to sort it.
        if near && (of_tenants || !is_sqlite) {
            return Ok(ScopeFilter::EachRow);
        }
        if of_tenants || !(has_index || is_sqlite) {
            return Ok(ScopeFilter::ByTenant);
        }
        let many = has_more_rows(self.database.reader(), "clients", scope.tenant(), FEW).await?;
        Ok(match (many, near) {
            (false, _) => ScopeFilter::ByTenant,
            (true, true) => ScopeFilter::EachRow,
            (true, false) => ScopeFilter::InOrder,
        })
    }
}

/// Whether an index has the clients in this order. The others would have to be written with each
/// token or role.
const fn has_index(by: SortBy) -> bool {
    matches!(by, SortBy::Name | SortBy::ClientId)
}
