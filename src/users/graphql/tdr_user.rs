//! The calling person, in the form of the Taegis contract.

use async_graphql::{ID, SimpleObject};

use crate::clock::Timestamp;
use crate::roles::Role;
use crate::users::entity::assignment;
use crate::users::model::User;

/// A person, in the form of the Taegis contract. Fields of the contract for which the gateway has no
/// data are absent.
#[derive(Clone, SimpleObject)]
#[graphql(name = "TDRUser", rename_fields = "snake_case")]
pub struct TdrUser {
    /// The user's UUID.
    id: ID,
    /// The e-mail address by which the person signs in.
    email: String,
    /// The e-mail address in lower case.
    email_normalized: String,
    /// The person's whole name.
    given_name: String,
    /// `REGISTERED` with a password, `INVITED` without one, `DEACTIVATED` if disabled.
    status: &'static str,
    /// When the person last signed in, in RFC 3339; null if never.
    last_login: Option<String>,
    /// The ids of the roles that have not expired.
    roles: Vec<ID>,
    /// The role assignments, including expired ones.
    role_assignments: Vec<TdrUserRoleAssignment>,
    /// The tenant that the user belongs to.
    tenant_id: ID,
    /// When the object was created, in RFC 3339.
    created_at: String,
    /// When the user was last changed, in RFC 3339.
    updated_at: String,
    /// The creator: the UUID of a client or user, or `operator` for the command line.
    created_by: String,
    /// The author of the last change, in the form of `created_by`.
    updated_by: String,
}

/// A role that a person holds in a tenant and in all tenants below it.
#[derive(Clone, SimpleObject)]
#[graphql(name = "TDRUserRoleAssignment", rename_fields = "snake_case")]
pub struct TdrUserRoleAssignment {
    /// The assignment's UUID.
    id: ID,
    /// The tenant in which the role is held.
    tenant_id: ID,
    /// The role's UUID.
    role_id: ID,
    /// The role's name, such as `TenantAnalyst`.
    role_name: Option<&'static str>,
    /// The role's display name.
    role_display_name: Option<&'static str>,
    /// When the assignment expires, in RFC 3339; null if it does not.
    expires_at: Option<String>,
    /// When the object was created, in RFC 3339.
    created_at: String,
}

impl TdrUser {
    /// The person as they are at that moment.
    pub fn at(now: Timestamp, user: User) -> Self {
        let live =
            user.assignments.iter().filter(|held| held.expires_at.is_none_or(|end| now < end));
        let mut roles: Vec<ID> = live.map(|held| held.role_id.to_string().into()).collect();
        roles.sort_unstable_by(|one: &ID, other| one.0.cmp(&other.0));
        roles.dedup();
        let row = user.row;
        Self {
            id: row.id.to_string().into(),
            status: match (row.enabled, row.password_hash.is_some()) {
                (false, _) => "DEACTIVATED",
                (true, true) => "REGISTERED",
                (true, false) => "INVITED",
            },
            email: row.email,
            email_normalized: row.email_folded,
            given_name: row.name,
            last_login: row.last_sign_in_at.map(|at| at.to_string()),
            roles,
            role_assignments: user.assignments.iter().map(TdrUserRoleAssignment::from).collect(),
            tenant_id: row.tenant_id.to_string().into(),
            created_at: row.created_at.to_string(),
            updated_at: row.updated_at.to_string(),
            created_by: row.created_by,
            updated_by: row.updated_by,
        }
    }
}

impl From<&assignment::Model> for TdrUserRoleAssignment {
    fn from(held: &assignment::Model) -> Self {
        let role = Role::from_id(held.role_id);
        Self {
            id: held.id.to_string().into(),
            tenant_id: held.tenant_id.to_string().into(),
            role_id: held.role_id.to_string().into(),
            role_name: role.map(Role::name),
            role_display_name: role.map(Role::display_name),
            expires_at: held.expires_at.map(|end| end.to_string()),
            created_at: held.created_at.to_string(),
        }
    }
}
