//! Administrator roles in the graph.

use std::sync::Arc;

use async_graphql::{ID, Object};

use crate::deep_security::manager::Manager;
use crate::deep_security::model::IdScope;
use crate::deep_security::wire::Role;
use crate::global_id::NodeKind;
use crate::graph::graphql::JsonValue;

/// A role in the graph.
pub struct RoleObject {
    ids: IdScope,
    wire: Arc<Role>,
}

impl RoleObject {
    /// A role that was read.
    pub fn new(manager: &Arc<Manager>, wire: impl Into<Arc<Role>>) -> Self {
        Self { ids: manager.ids(), wire: wire.into() }
    }

    pub(super) fn wire(&self) -> &Role {
        &self.wire
    }
}

fn ids(ids: &Option<Vec<i64>>) -> Option<Vec<ID>> {
    ids.as_ref().map(|ids| ids.iter().map(|id| ID(id.to_string())).collect())
}

/// A role of the tenant's administrators and API keys.
#[Object(name = "DeepSecurityRole")]
impl RoleObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(self.ids.global(NodeKind::DeepSecurityRole, self.wire.id))
    }

    /// The vendor's id, unique in its tenant only.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name.
    async fn name(&self) -> Option<&str> {
        self.wire.name.as_deref()
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// Whether it is built in and cannot be changed.
    async fn immutable(&self) -> Option<bool> {
        self.wire.immutable
    }

    /// Whether it may only change people who may no more than itself.
    async fn can_only_manipulate_users_with_equal_or_lesser_rights(&self) -> Option<bool> {
        self.wire.can_only_manipulate_users_with_equal_or_lesser_rights
    }

    /// Whether it reaches all computers.
    async fn all_computers(&self) -> Option<bool> {
        self.wire.all_computers
    }

    /// The computers that it reaches, where it does not reach all.
    #[graphql(name = "computerIDs")]
    async fn computer_ids(&self) -> Option<Vec<ID>> {
        ids(&self.wire.computer_ids)
    }

    /// The groups of computers that it reaches, where it does not reach all; without the groups
    /// below them.
    #[graphql(name = "computerGroupIDs")]
    async fn computer_group_ids(&self) -> Option<Vec<ID>> {
        ids(&self.wire.computer_group_ids)
    }

    /// Whether it reaches all policies.
    async fn all_policies(&self) -> Option<bool> {
        self.wire.all_policies
    }

    /// The policies that it reaches, where it does not reach all.
    #[graphql(name = "policyIDs")]
    async fn policy_ids(&self) -> Option<Vec<ID>> {
        ids(&self.wire.policy_ids)
    }

    /// Whether it may sign in to the console.
    async fn allow_user_interface(&self) -> Option<bool> {
        self.wire.allow_user_interface
    }

    /// Whether it may use the API.
    async fn allow_web_service(&self) -> Option<bool> {
        self.wire.allow_web_service
    }

    /// What it may do: the vendor's tree of groups of rights, which differs between versions.
    async fn rights(&self) -> Option<JsonValue> {
        self.wire.rights().map(JsonValue)
    }
}
