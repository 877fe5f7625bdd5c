//! Administrator roles.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Listed;
use crate::deep_security::remember::Remember;

/// A role. Its path is `/roles`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    #[serde(rename = "ID")]
    pub id: i64,
    pub name: Option<String>,
    pub description: Option<String>,
    pub immutable: Option<bool>,
    pub can_only_manipulate_users_with_equal_or_lesser_rights: Option<bool>,
    pub all_computers: Option<bool>,
    pub all_policies: Option<bool>,
    pub allow_user_interface: Option<bool>,
    pub allow_web_service: Option<bool>,
    #[serde(rename = "computerIDs")]
    pub computer_ids: Option<Vec<i64>>,
    #[serde(rename = "computerGroupIDs")]
    pub computer_group_ids: Option<Vec<i64>>,
    #[serde(rename = "policyIDs")]
    pub policy_ids: Option<Vec<i64>>,
    /// An open tree of objects of booleans, which differs between versions.
    pub rights: Option<Value>,
}

impl Role {
    /// Whether it may look at things and do nothing else: each right that it has is one to view.
    pub fn only_views(&self) -> bool {
        self.rights.as_ref().is_none_or(|rights| only_views("", rights))
    }
}

fn only_views(name: &str, rights: &Value) -> bool {
    match rights {
        Value::Object(members) => members.iter().all(|(name, rights)| only_views(name, rights)),
        Value::Bool(held) => !held || name.starts_with("canView"),
        _ => true,
    }
}

impl Listed for Role {
    const COLLECTION: &'static str = "roles";
    const MEMBER: &'static str = "roles";
    const NAME: &'static str = "name";
    const WHAT: &'static str = "role";

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn remembered(remember: &Remember) -> Duration {
        remember.roles
    }

    fn state(&self) -> Value {
        json!({ "id": self.id, "name": self.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(rights: Value) -> Role {
        serde_json::from_value(json!({ "ID": 2, "rights": rights })).unwrap()
    }

    #[test]
    fn a_role_with_one_right_to_change_is_not_read_only() {
        let computers = |edits: bool| json!({ "platformRights": { "computerRights": { "canViewOtherComputers": true, "canEditComputerProperties": edits } } });
        assert!(role(computers(false)).only_views());
        assert!(!role(computers(true)).only_views());
        assert!(role(json!({})).only_views());
    }
}
