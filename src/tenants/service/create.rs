//! Making tenants.

use std::sync::Arc;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::{Tenants, WHAT, state};
use crate::audit::{self, Entry};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::names::Name;
use crate::tenants::entity::{Column, Entity, Model, ancestor};
use crate::tenants::model::{DEPTH_MAX, NewTenant, Tenant};

impl Tenants {
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
