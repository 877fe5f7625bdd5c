//! Finds users.

use std::collections::HashSet;

use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{Users, WHAT, complete, one, with_id};
use crate::auth::TenantScope;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UserId};
use crate::roles::Permission;
use crate::tenants::entity::{ScopeFilter, ancestor, at_or_below, has_more_rows};
use crate::users::entity::{Column, Entity};
use crate::users::model::{User, UserFilter};

/// So many users are read tenant by tenant and sorted in a few milliseconds.
const FEW: u32 = 2_000;

impl Users {
    /// One user of the scope, by UUID.
    ///
    /// # Errors
    /// `NOT_FOUND`, with one message for foreign and unknown users.
    pub async fn find(&self, scope: &TenantScope, id: &str) -> Result<User> {
        let found = with_id(Entity::of_tenant(scope), id).one(self.database.reader()).await?;
        let row = found.ok_or_else(|| Error::not_found(WHAT))?;
        let mut user = one(self.database.reader(), row, scope.now()).await?;
        self.disclose(scope, std::slice::from_mut(&mut user)).await?;
        Ok(user)
    }

    /// The users of the scope after that address and id, which order them.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn list(
        &self,
        scope: &TenantScope,
        filter: &UserFilter,
        after: Option<&(String, UserId)>,
        count: u64,
    ) -> Result<Vec<User>> {
        let by = self.plan(scope, filter).await?;
        let mut select = filtered(scope, filter, by)
            .order_by_asc(Column::EmailFolded)
            .order_by_asc(Column::Id)
            .limit(count);
        if let Some((email, id)) = after {
            // One comparison of pairs, at which both databases begin to read the index.
            let row = Expr::tuple([Expr::col(Column::EmailFolded), Expr::col(Column::Id)]);
            let place = Expr::tuple([Expr::val(email.as_str()), Expr::val(*id)]);
            select = select.filter(row.gt(place));
        }
        let rows = select.all(self.database.reader()).await?;
        let mut users = complete(self.database.reader(), rows, scope.now()).await?;
        self.disclose(scope, &mut users).await?;
        Ok(users)
    }

    /// The number of users that match the filter.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn count(&self, scope: &TenantScope, filter: &UserFilter) -> Result<u64> {
        let by = if filter.tenant.is_some() { ScopeFilter::EachRow } else { ScopeFilter::ByTenant };
        Ok(filtered(scope, filter, by).count(self.database.reader()).await?)
    }

    /// How a list finds the users of the scope: each in the order of addresses, or, in a scope of
    /// few, tenant by tenant.
    async fn plan(&self, scope: &TenantScope, filter: &UserFilter) -> Result<ScopeFilter> {
        let each = filter.tenant.is_some()
            || has_more_rows(self.database.reader(), "users", scope.tenant(), FEW).await?;
        Ok(if each { ScopeFilter::EachRow } else { ScopeFilter::ByTenant })
    }

    /// The calling person, with the roles that their token reaches. Without the right to read users
    /// in the person's own tenant, a narrowed token reaches only those that apply in the tenant in
    /// context.
    ///
    /// # Errors
    /// `NOT_FOUND` for callers who are no people.
    pub async fn caller(&self, scope: &TenantScope) -> Result<User> {
        let reader = self.database.reader();
        let found = Entity::caller(scope).one(reader).await?;
        let row = found.ok_or_else(|| Error::not_found(WHAT))?;
        let mut user = one(reader, row, scope.now()).await?;
        self.disclose(scope, std::slice::from_mut(&mut user)).await?;
        if scope.is_narrowed()
            && !scope.access_in(user.tenant()).await?.permits(Permission::ReadUsers, scope.now())
        {
            let above = ancestor::Entity::of(scope.tenant()).all(reader).await?;
            let applies = |tenant| above.iter().any(|row| row.ancestor_id == tenant);
            user.assignments.retain(|held| applies(held.tenant_id));
        }
        Ok(user)
    }

    /// Removes the roles outside the tenant that a token is narrowed to: those held neither in it,
    /// nor above, nor below. Removes nothing for other callers.
    pub(super) async fn disclose(&self, scope: &TenantScope, users: &mut [User]) -> Result<()> {
        let Some(tenant) = scope.narrowed_to() else { return Ok(()) };
        let reader = self.database.reader();
        let above = ancestor::Entity::of(tenant).all(reader).await?;
        let mut reached: HashSet<TenantId> = above.into_iter().map(|row| row.ancestor_id).collect();
        let held = users.iter().flat_map(|user| &user.assignments).map(|held| held.tenant_id);
        let others: HashSet<TenantId> = held.filter(|held| !reached.contains(held)).collect();
        let others: Vec<TenantId> = others.into_iter().collect();
        for some in others.chunks(500) {
            reached.extend(at_or_below(reader, tenant, some).await?);
        }
        for user in users {
            user.assignments.retain(|held| reached.contains(&held.tenant_id));
        }
        Ok(())
    }
}

fn filtered(scope: &TenantScope, filter: &UserFilter, by: ScopeFilter) -> Select<Entity> {
    let mut select = Entity::found(scope, by);
    if let Some(email) = &filter.email {
        select = select.filter(Column::EmailFolded.like(LikeExpr::new(email.like()).escape('\\')));
    }
    if let Some(tenant) = filter.tenant {
        select = select.filter(Column::TenantId.eq(tenant));
    }
    if let Some(enabled) = filter.enabled {
        select = select.filter(Column::Enabled.eq(enabled));
    }
    select
}
