//! People, as single sign-on looks for them: before anybody is signed in, so without a scope, but
//! always within the provider's own tenant.

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{DbBackend, QuerySelect, QueryTrait};

use crate::ids::{RoleId, TenantId, UserId};
use crate::users::entity::{Column, Entity, assignment};

/// A user of the tenant.
pub fn with_id(tenant: TenantId, id: UserId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Id.eq(id))
}

/// The user of the tenant that these accounts are linked to.
pub fn linked_to(tenant: TenantId, accounts: Select<super::identity::Entity>) -> Select<Entity> {
    let users = accounts.select_only().column(super::identity::Column::UserId).into_query();
    Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::Id.in_subquery(users))
}

/// All users of the tenant.
pub fn at_home(tenant: TenantId) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant))
}

/// The user of the tenant with that address.
pub fn with_email(tenant: TenantId, email_folded: &str) -> Select<Entity> {
    Entity::find().filter(Column::TenantId.eq(tenant)).filter(Column::EmailFolded.eq(email_folded))
}

/// People of that domain in all other tenants: to know whether there are any, never to be
/// shown.
pub fn elsewhere(tenant: TenantId, domain: &str, backend: DbBackend) -> Select<Entity> {
    // The expression of the index over domains.
    let domain_of = match backend {
        DbBackend::Sqlite => "substr(email_folded, instr(email_folded, '@') + 1)",
        _ => "split_part(email_folded, '@', 2)",
    };
    Entity::find()
        .filter(Column::TenantId.ne(tenant))
        .filter(Expr::cust(domain_of).eq(domain))
        .limit(1)
}

/// The roles that people of the tenant hold: each with where and until when, once.
pub fn roles_of_all(tenant: TenantId) -> Select<assignment::Entity> {
    let people = Entity::find().filter(Column::TenantId.eq(tenant));
    let people = people.select_only().column(Column::Id).into_query();
    assignment::Entity::find()
        .filter(assignment::Column::UserId.in_subquery(people))
        .select_only()
        .column(assignment::Column::RoleId)
        .column(assignment::Column::TenantId)
        .column(assignment::Column::ExpiresAt)
        .distinct()
}

/// A role that somebody holds.
pub type Held = (RoleId, TenantId, Option<crate::clock::Timestamp>);
