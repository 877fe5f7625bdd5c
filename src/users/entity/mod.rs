//! The tables of users, their roles, credentials and one-time links.

pub mod credential;
pub mod failure;
pub mod passkey;

use std::fmt;

use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{DeriveValueType, QueryOrder, QuerySelect};

use crate::auth::{Caller, TenantScope};
use crate::clock::Timestamp;
use crate::ids::{TenantId, UserId};
use crate::tenants::entity::ScopeFilter;

/// The Argon2id hash of a password with its parameters and salt, as a PHC string.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// A hash that was just made.
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// The tenant that the user belongs to.
    pub tenant_id: TenantId,
    /// The e-mail address, as entered.
    pub email: String,
    /// The address as searches compare it.
    pub email_folded: String,
    /// When the user got the address; absent if they have had it from the beginning.
    pub email_since: Option<Timestamp>,
    /// The name.
    pub name: String,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// Absent until a password is set, and after a reset.
    pub password_hash: Option<PasswordHash>,
    /// Tokens and sessions of an older generation are refused.
    pub token_generation: i64,
    /// When the user last signed in.
    pub last_sign_in_at: Option<Timestamp>,
    /// When the row was created, by the database's time.
    pub created_at: Timestamp,
    /// When the row was last changed.
    pub updated_at: Timestamp,
    /// The subject that created it, as in audit records.
    pub created_by: String,
    /// The subject that last changed it, as in audit records.
    pub updated_by: String,
}

/// No relations: statements join by ids.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Entity {
    /// The users of the tenant of the scope and of all open tenants below it.
    pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
        Self::found(scope, ScopeFilter::EachRow)
    }

    /// The same for a list, found in that way.
    pub fn found(scope: &TenantScope, by: ScopeFilter) -> Select<Self> {
        Self::find().filter(by.open_below(&Expr::col((Entity, Column::TenantId)), scope.tenant()))
    }

    /// The users of the tenant of the scope alone.
    pub fn at_home_in(scope: &TenantScope) -> Select<Self> {
        Self::find().filter(Column::TenantId.eq(scope.tenant()))
    }

    /// The calling person, in whichever tenant they are.
    pub fn caller(scope: &TenantScope) -> Select<Self> {
        let id = match scope.caller() {
            Caller::User { id, .. } => Some(*id),
            Caller::Client { .. } | Caller::Operator | Caller::Gateway => None,
        };
        Self::find().filter(Column::Id.is_in(id))
    }

    /// The person who just proved to be that user, or whose session or link names them.
    pub fn signing_in(user: UserId) -> Select<Self> {
        Self::find().filter(Column::Id.eq(user))
    }

    /// The users of all tenants with that address who have a password: for the comparison of
    /// passwords only, those first who have had it longest: users that somebody adds or renames
    /// later push none of them out. The person is not signed in yet, so there is no scope.
    pub fn with_password(email_folded: &str, at_most: u64) -> Select<Self> {
        Self::find()
            .filter(Column::EmailFolded.eq(email_folded))
            .filter(Column::PasswordHash.is_not_null())
            .order_by_asc(Expr::col(Column::EmailSince).if_null(Expr::col(Column::CreatedAt)))
            .order_by_asc(Column::Id)
            .limit(at_most)
    }
}

/// A role that a user holds in a tenant.
pub mod assignment {
    use sea_orm::QueryOrder;
    use sea_orm::entity::prelude::*;

    use crate::clock::Timestamp;
    use crate::ids::{RoleId, TenantId, UserAssignmentId, UserId};

    /// One role given to one user in one tenant.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "user_role_assignments")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: UserAssignmentId,
        /// The user.
        pub user_id: UserId,
        /// The tenant that the role is held in.
        pub tenant_id: TenantId,
        /// The role.
        pub role_id: RoleId,
        /// When it ends.
        pub expires_at: Option<Timestamp>,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// The subject that created it, as in audit records.
        pub created_by: String,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The roles of users that were found in a scope before, oldest first.
        pub fn of_users(users: &[UserId]) -> Select<Self> {
            let oldest_first =
                Self::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
            oldest_first.filter(Column::UserId.is_in(users.iter().copied()))
        }
    }
}
