//! Making, finding and changing tenants.

mod conditions;
mod quota;
mod secret_age;

use std::sync::Arc;

use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    Order as Direction, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set,
};
use serde_json::json;

use super::entity::{Column, Entity, Model, ancestor, at_or_below};
use super::model::{
    DEPTH_MAX, NewTenant, Order, Page, Place, Quotas, Tenant, TenantChange, TenantFilter,
};
use crate::audit::{self, Entry};
use crate::auth::{TenantScope, own_holds, require_administrators};
use crate::clock::Timestamp;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::names::Name;
use crate::roles::Permission;

use conditions::{behind, filtered, key};

pub use secret_age::{max_secret_age_seconds, share_policies};

const WHAT: &str = "tenant";

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
        let found = Self::visible(scope)
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
        let found = Self::visible(scope).await?.filter(Column::Id.is_in(ids.iter().copied()));
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
        let mut select = filtered(Self::visible(scope).await?, filter);
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
        Ok(filtered(Self::visible(scope).await?, filter).count(self.database.reader()).await?)
    }

    /// Makes a tenant below the one of the scope, or below the parent named, which must itself be
    /// the caller's to manage.
    ///
    /// # Errors
    /// `NOT_FOUND` for a parent outside the scope, `BAD_USER_INPUT` for a tree that would become
    /// too deep, `CONFLICT` for more tenants than there may be below one of those above.
    pub async fn create(&self, scope: &TenantScope, new: NewTenant) -> Result<Tenant> {
        self.database.transaction(|write| self.create_in(write, scope, &new)).await
    }

    async fn create_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        new: &NewTenant,
    ) -> Result<Tenant> {
        let parent_id = new.parent.unwrap_or(scope.tenant());
        let parent =
            Entity::open_to(scope).filter(Column::Id.eq(parent_id)).one(write.on()).await?;
        let parent = parent.ok_or_else(|| Error::not_found(WHAT))?;
        self.quotas.require_room(&write, scope, parent.id).await?;
        let tenant = self.insert(write.on(), scope.now(), Some(&parent), new).await?;
        let entry = Entry {
            operation: "createTenant",
            tenant: tenant.id,
            subject: tenant.id.to_string(),
            before: None,
            after: Some(state(&tenant)),
        };
        audit::record(write.on(), &*self.entropy, scope, entry).await?;
        Ok(tenant)
    }

    /// Makes the first tenant, a partner, inside the caller's own transaction.
    ///
    /// # Errors
    /// `CONFLICT` if there is a tenant already.
    pub async fn create_first(
        &self,
        on: &impl ConnectionTrait,
        at: Timestamp,
        name: Name,
    ) -> Result<Tenant> {
        if Entity::roots().one(on).await?.is_some() {
            return Err(Error::conflict(
                "the database has its first tenant already; nothing was changed",
            ));
        }
        self.insert(
            on,
            at,
            None,
            &NewTenant { name, parent: None, is_partner: true, is_organization: false },
        )
        .await
    }

    async fn insert(
        &self,
        on: &impl ConnectionTrait,
        now: Timestamp,
        parent: Option<&Tenant>,
        new: &NewTenant,
    ) -> Result<Tenant> {
        let id = TenantId::random(&*self.entropy);
        let tenant = Model {
            id,
            parent_id: parent.map(|parent| parent.id),
            partner_id: if new.is_partner {
                Some(id)
            } else {
                parent.and_then(|parent| parent.partner_id)
            },
            organization_id: if new.is_organization {
                Some(id)
            } else {
                parent.and_then(|parent| parent.organization_id)
            },
            name: new.name.as_str().to_owned(),
            name_folded: new.name.folded(),
            is_partner: new.is_partner,
            is_organization: new.is_organization,
            enabled: true,
            max_secret_age_seconds: None,
            created_at: now,
            updated_at: now,
        };
        Entity::insert(tenant.clone().into_active_model()).exec_without_returning(on).await?;
        insert_ancestors(on, id, parent).await?;
        Ok(tenant)
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
        if let Some(age) = change.max_secret_age {
            let seconds = age.map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
            tenant.max_secret_age_seconds = Set(seconds);
        }
        if let Some(Some(age)) = change.max_secret_age {
            secret_age::limit(&write, scope, id, age).await?;
        }
        tenant.updated_at = Set(scope.now());
        let after = tenant.update(write.on()).await?;
        let ends_clients =
            change.enabled == Some(false) || matches!(change.max_secret_age, Some(Some(_)));
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
    async fn visible(scope: &TenantScope) -> Result<Select<Entity>> {
        let manages =
            scope.access_in(scope.tenant()).await?.permits(Permission::ManageTenants, scope.now());
        Ok(if manages { Entity::of_tenant(scope) } else { Entity::open_to(scope) })
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

/// Records the ancestors of a new tenant, itself included.
///
/// # Errors
/// `BAD_USER_INPUT` if the tree would become too deep.
async fn insert_ancestors(
    on: &impl ConnectionTrait,
    id: TenantId,
    parent: Option<&Tenant>,
) -> Result<()> {
    let mut above = vec![ancestor::Model { tenant_id: id, ancestor_id: id, distance: 0 }];
    if let Some(parent) = parent {
        let of_parent = ancestor::Entity::of(parent.id).all(on).await?;
        above.extend(of_parent.into_iter().map(|row| ancestor::Model {
            tenant_id: id,
            ancestor_id: row.ancestor_id,
            distance: row.distance + 1,
        }));
    }
    if above.len() > DEPTH_MAX {
        return Err(Error::bad_input("parentTenantID", "the tree would be deeper than 64 levels"));
    }
    let above = above.into_iter().map(IntoActiveModel::into_active_model);
    ancestor::Entity::insert_many(above).exec_without_returning(on).await?;
    Ok(())
}
