//! Making, finding and changing tenants.

mod conditions;
mod create;
mod quota;
mod secret_age;

use std::sync::Arc;

use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, IntoActiveModel, Order as Direction, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, Set,
};
use serde_json::json;

use super::entity::{Column, Entity, ScopeFilter, at_or_below, has_more_tenants};
use super::model::{Order, OrderBy, Page, Place, Quotas, Tenant, TenantChange, TenantFilter};
use crate::audit::{self, Entry};
use crate::auth::{TenantScope, own_holds, require_administrators};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::patch::Patch;
use crate::roles::Permission;

use conditions::{behind, filtered, key};

pub use secret_age::{max_secret_age_seconds, share_policies};

const WHAT: &str = "tenant";

/// So many tenants are read by their ids and sorted in a few milliseconds.
const FEW: u32 = 2_000;

/// The tenants in a database.
pub struct Tenants {
    database: Arc<Database>,
    entropy: Arc<dyn Entropy>,
    quotas: Quotas,
}

impl Tenants {
    /// The tenants in that database.
    pub fn new(database: Arc<Database>, entropy: Arc<dyn Entropy>, quotas: Quotas) -> Self {
        Self { database, entropy, quotas }
    }

    /// The tenants at the top of their trees.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn roots(&self) -> Result<Vec<Tenant>> {
        Ok(Entity::roots().all(self.database.reader()).await?)
    }

    /// Finds a tenant: that of the scope or a descendant; a disabled one only for callers who may
    /// manage tenants.
    ///
    /// # Errors
    /// `NOT_FOUND` for any other, in the same words for foreign and unknown.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<Tenant> {
        let id: TenantId = id.parse().map_err(|_| Error::not_found(WHAT))?;
        let found = Self::visible(scope, ScopeFilter::EachRow)
            .await?
            .filter(Column::Id.eq(id))
            .one(self.database.reader())
            .await?;
        found.ok_or_else(|| Error::not_found(WHAT))
    }

    /// As [`Tenants::find`], for many at once; those that are not found are left out.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn find_each(&self, scope: &TenantScope, ids: &[TenantId]) -> Result<Vec<Tenant>> {
        let visible = Self::visible(scope, ScopeFilter::EachRow).await?;
        let found = visible.filter(Column::Id.is_in(ids.iter().copied()));
        Ok(found.all(self.database.reader()).await?)
    }

    /// The name of a tenant. The caller has checked the permission of the reader.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn name_of(&self, tenant: TenantId) -> Result<Option<String>> {
        let found = Entity::at_or_above(tenant).filter(Column::Id.eq(tenant));
        Ok(found.one(self.database.reader()).await?.map(|tenant| tenant.name))
    }

    /// A page of the tenants that the caller may enter, or may manage.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(
        &self,
        scope: &TenantScope,
        filter: &TenantFilter,
        order: Order,
        after: Option<Place>,
        count: u64,
    ) -> Result<Page> {
        let by = self.plan(scope, filter, order).await?;
        let mut select = filtered(Self::visible(scope, by).await?, filter);
        let offset = after.as_ref().map_or(0, |(index, ..)| index.saturating_add(1));
        if let Some((_, value, id)) = after {
            select = select.filter(behind(order, &value, id)?);
        }
        let direction = if order.descending { Direction::Desc } else { Direction::Asc };
        let select =
            select.order_by(key(order.by), direction.clone()).order_by(Column::Id, direction);
        let mut tenants = select.limit(count + 1).all(self.database.reader()).await?;
        let has_more = tenants.len() as u64 > count;
        tenants.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        Ok(Page { tenants, offset, has_more })
    }

    /// How many tenants the filter finds.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn count(&self, scope: &TenantScope, filter: &TenantFilter) -> Result<u64> {
        let by = if filter.ids.is_some() { ScopeFilter::EachRow } else { ScopeFilter::ByTenant };
        let visible = Self::visible(scope, by).await?;
        Ok(filtered(visible, filter).count(self.database.reader()).await?)
    }

    /// How a list finds the tenants of the scope: in an order that an index has, each tenant is
    /// looked up in the tree; else, and in a scope of few, they are collected and sorted.
    async fn plan(
        &self,
        scope: &TenantScope,
        filter: &TenantFilter,
        order: Order,
    ) -> Result<ScopeFilter> {
        if filter.ids.is_some() {
            return Ok(ScopeFilter::EachRow);
        }
        let has_index = matches!(order.by, OrderBy::Name | OrderBy::Id);
        let in_order =
            has_index && has_more_tenants(self.database.reader(), scope.tenant(), FEW).await?;
        Ok(if in_order { ScopeFilter::EachRow } else { ScopeFilter::ByTenant })
    }

    /// Changes a tenant of the scope. Disabling it disables all tenants below at once. A caller
    /// cannot disable the tenant in context or lock out the last administrator, since it could not
    /// undo that.
    ///
    /// # Errors
    /// `NOT_FOUND` outside the scope, `CONFLICT` for disabling the tenant in context, and for a
    /// change after which the caller, as the last administrator, could not sign in.
    pub async fn update(
        &self,
        scope: &TenantScope,
        id: &str,
        change: TenantChange,
    ) -> Result<Tenant> {
        let id: TenantId = id.parse().map_err(|_| Error::not_found(WHAT))?;
        if id == scope.tenant() && change.enabled == Some(false) {
            return Err(Error::conflict("the tenant in context cannot be disabled from within"));
        }
        scope.change(&self.database, |write| self.update_in(write, scope, id, &change)).await
    }

    async fn update_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        id: TenantId,
        change: &TenantChange,
    ) -> Result<Tenant> {
        // Locked first of all: see `Clients::lock` for the order.
        let found = Entity::of_tenant(scope).filter(Column::Id.eq(id)).lock(LockType::NoKeyUpdate);
        let found = found.one(write.on()).await?;
        let before = found.ok_or_else(|| Error::not_found(WHAT))?;
        let mut tenant = before.clone().into_active_model();
        if let Some(name) = &change.name {
            tenant.name = Set(name.as_str().to_owned());
            tenant.name_folded = Set(name.folded());
        }
        if let Some(enabled) = change.enabled {
            tenant.enabled = Set(enabled);
        }
        match change.max_secret_age {
            Patch::Keep => {}
            Patch::Clear => tenant.max_secret_age_seconds = Set(None),
            Patch::Set(age) => {
                let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
                tenant.max_secret_age_seconds = Set(Some(seconds));
                secret_age::limit(&write, scope, id, age).await?;
            }
        }
        tenant.updated_at = Set(scope.now());
        let after = tenant.update(write.on()).await?;
        let ends_clients = change.enabled == Some(false) || change.max_secret_age.value().is_some();
        if ends_clients && let Some(home) = scope.caller().home() {
            // Only clients of this tenant can be locked out; an administrator of a tenant above can
            // enable it again.
            let at_home = !at_or_below(write.on(), id, &[home]).await?.is_empty();
            let own = if at_home { own_holds(&write, scope).await? } else { Vec::new() };
            require_administrators(&write, scope, &own).await?;
        }
        let entry = Entry {
            operation: "updateTenant",
            tenant: id,
            subject: id.to_string(),
            before: Some(state(&before)),
            after: Some(state(&after)),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        Ok(after)
    }

    /// Callers who may manage tenants see disabled ones too, since they can enable them again.
    async fn visible(scope: &TenantScope, by: ScopeFilter) -> Result<Select<Entity>> {
        let manages =
            scope.access_in(scope.tenant()).await?.permits(Permission::ManageTenants, scope.now());
        Ok(if manages { Entity::all_found(scope, by) } else { Entity::open_found(scope, by) })
    }
}

/// The state of a tenant for the audit log.
fn state(tenant: &Tenant) -> serde_json::Value {
    json!({
        "name": tenant.name,
        "parentTenantID": tenant.parent_id,
        "isPartner": tenant.is_partner,
        "isOrganization": tenant.is_organization,
        "enabled": tenant.enabled,
        "maxSecretAge": tenant.max_secret_age_seconds,
    })
}
