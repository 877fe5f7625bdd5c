//! Hides from narrowed tokens the parts of a client outside their restriction.

use std::collections::HashSet;

use super::Clients;
use crate::auth::TenantScope;
use crate::clients::model::Client;
use crate::error::Result;
use crate::ids::TenantId;
use crate::roles::Permission;
use crate::tenants::entity::{ancestor, at_or_below};

impl Clients {
    /// Removes the roles outside the tenant that a token is narrowed to: those held neither in it,
    /// nor above, nor below. Removes nothing for other tokens.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn disclose(&self, scope: &TenantScope, clients: &mut [Client]) -> Result<()> {
        let Some(tenant) = scope.narrowed_to() else { return Ok(()) };
        let mut reached = self.above(tenant).await?;
        let held = clients.iter().flat_map(|client| &client.assignments).map(|held| held.tenant_id);
        let others: HashSet<TenantId> = held.filter(|held| !reached.contains(held)).collect();
        let others: Vec<TenantId> = others.into_iter().collect();
        for some in others.chunks(super::NAMED_AT_ONCE) {
            reached.extend(at_or_below(self.database.reader(), tenant, some).await?);
        }
        retain(clients, &reached);
        Ok(())
    }

    /// Returns the calling client, and whether it may be shown whole: a narrowed token shows the
    /// credentials of its own client only with the right to read clients, and otherwise only the
    /// roles that apply in the tenant in context.
    ///
    /// # Errors
    /// `NOT_FOUND` for the command line, which has no client.
    pub async fn caller(&self, scope: &TenantScope) -> Result<(Client, bool)> {
        let mut client = self.find_caller(scope).await?;
        if !scope.is_narrowed() {
            return Ok((client, true));
        }
        let access = scope.access_in(client.row.tenant_id).await?;
        let whole = access.permits(Permission::ReadClients, scope.now());
        self.disclose(scope, std::slice::from_mut(&mut client)).await?;
        if !whole {
            retain(std::slice::from_mut(&mut client), &self.above(scope.tenant()).await?);
        }
        Ok((client, whole))
    }

    /// The tenant and all above it.
    async fn above(&self, tenant: TenantId) -> Result<HashSet<TenantId>> {
        let above = ancestor::Entity::of(tenant).all(self.database.reader()).await?;
        Ok(above.into_iter().map(|row| row.ancestor_id).collect())
    }
}

fn retain(clients: &mut [Client], reached: &HashSet<TenantId>) {
    for client in clients {
        client.assignments.retain(|held| reached.contains(&held.tenant_id));
    }
}
