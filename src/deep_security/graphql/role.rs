//! The GraphQL type of roles.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::connection_node::ConnectionNode;
use crate::deep_security::manager::Manager;
use crate::deep_security::model::IdScope;
use crate::deep_security::wire::Role;
use crate::global_id::NodeKind;
use crate::graph::graphql::JsonValue;

/// The GraphQL type of a role.
pub struct RoleObject {
    ids: IdScope,
    wire: Arc<Role>,
}

impl RoleObject {
    /// A role of this manager.
    pub fn new(manager: &Arc<Manager>, wire: impl Into<Arc<Role>>) -> Self {
        Self { ids: manager.ids(), wire: wire.into() }
    }
}

impl ConnectionNode for RoleObject {
    type Resource = Role;
    const CONNECTION: &'static str = "DeepSecurityRoleConnection";
    const EDGE: &'static str = "DeepSecurityRoleEdge";
}

fn ids(ids: &Option<Vec<i64>>) -> Option<Vec<ID>> {
    ids.as_ref().map(|ids| ids.iter().map(|id| ID(id.to_string())).collect())
}

/// A role of administrators and API keys.
#[Object(name = "DeepSecurityRole")]
impl RoleObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(self.ids.global(NodeKind::DeepSecurityRole, self.wire.id))
    }

    /// The vendor's id; unique only within the vendor's tenant.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name.
    async fn name(&self) -> Option<&str> {
        self.wire.name.as_deref()
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// Whether the role is built in and cannot be changed.
    async fn immutable(&self) -> Option<bool> {
        self.wire.immutable
    }

    /// Whether the role permits changes only of users with equal or lesser rights.
    async fn can_only_manipulate_users_with_equal_or_lesser_rights(&self) -> Option<bool> {
        self.wire.can_only_manipulate_users_with_equal_or_lesser_rights
    }

    /// Whether the role has access to all computers.
    async fn all_computers(&self) -> Option<bool> {
        self.wire.all_computers
    }

    /// The vendor's ids of the computers that the role has access to, unless it has access to all.
    #[graphql(name = "computerIDs")]
    async fn computer_ids(&self) -> Option<Vec<ID>> {
        ids(&self.wire.computer_ids)
    }

    /// The vendor's ids of the computer groups that the role has access to, unless it has access to
    /// all computers; subgroups are not included.
    #[graphql(name = "computerGroupIDs")]
    async fn computer_group_ids(&self) -> Option<Vec<ID>> {
        ids(&self.wire.computer_group_ids)
    }

    /// Whether the role has access to all policies.
    async fn all_policies(&self) -> Option<bool> {
        self.wire.all_policies
    }

    /// The vendor's ids of the policies that the role has access to, unless it has access to all.
    #[graphql(name = "policyIDs")]
    async fn policy_ids(&self) -> Option<Vec<ID>> {
        ids(&self.wire.policy_ids)
    }

    /// Whether the role permits signing in to the console.
    async fn allow_user_interface(&self) -> Option<bool> {
        self.wire.allow_user_interface
    }

    /// Whether the role permits using the API.
    async fn allow_web_service(&self) -> Option<bool> {
        self.wire.allow_web_service
    }

    /// The role's rights: the vendor's tree of groups of rights, which differs between versions.
    async fn rights(&self) -> Option<JsonValue> {
        self.wire.rights().map(JsonValue)
    }
}
