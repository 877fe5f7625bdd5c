//! Administrator roles.

use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Resource;
use super::lenient::optional;
use crate::deep_security::cache_ttl::CacheTtl;
use crate::global_id::NodeKind;

/// A role of administrators and API keys.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    #[serde(rename = "ID")]
    pub id: i64,
    pub name: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub description: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub immutable: Option<bool>,
    #[serde(default, deserialize_with = "optional")]
    pub can_only_manipulate_users_with_equal_or_lesser_rights: Option<bool>,
    #[serde(default, deserialize_with = "optional")]
    pub all_computers: Option<bool>,
    #[serde(default, deserialize_with = "optional")]
    pub all_policies: Option<bool>,
    #[serde(default, deserialize_with = "optional")]
    pub allow_user_interface: Option<bool>,
    #[serde(default, deserialize_with = "optional")]
    pub allow_web_service: Option<bool>,
    #[serde(rename = "computerIDs", default, deserialize_with = "optional")]
    pub computer_ids: Option<Vec<i64>>,
    #[serde(rename = "computerGroupIDs", default, deserialize_with = "optional")]
    pub computer_group_ids: Option<Vec<i64>>,
    #[serde(rename = "policyIDs", default, deserialize_with = "optional")]
    pub policy_ids: Option<Vec<i64>>,
    #[serde(default, deserialize_with = "rights")]
    rights: Option<Box<RawValue>>,
}

/// The most bytes of a tree of rights: enough for hundreds of long names.
const RIGHTS_MAX: usize = 32 * 1024;

/// Keeps the rights as text: the parsed tree is many times larger and rarely requested.
fn rights<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    let rights = Option::<Box<RawValue>>::deserialize(deserializer)?;
    let is_tree =
        |text: &str| text.len() <= RIGHTS_MAX && serde_json::from_str::<Value>(text).is_ok();
    match rights {
        Some(rights) if !is_tree(rights.get()) => Err(D::Error::custom("malformed rights")),
        rights => Ok(rights),
    }
}

impl Role {
    /// Whether all its rights are rights to view.
    pub fn only_views(&self) -> bool {
        self.rights().is_none_or(|rights| only_views("", &rights))
    }

    /// The rights: a tree of objects with boolean leaves, which differs between versions.
    pub fn rights(&self) -> Option<Value> {
        self.rights.as_ref().and_then(|rights| serde_json::from_str(rights.get()).ok())
    }
}

fn only_views(name: &str, rights: &Value) -> bool {
    match rights {
        Value::Object(members) => members.iter().all(|(name, rights)| only_views(name, rights)),
        Value::Bool(held) => !held || name.starts_with("canView"),
        _ => true,
    }
}

impl Resource for Role {
    const COLLECTION: &'static str = "roles";
    const JSON_KEY: &'static str = "roles";
    const NAME_FIELD: &'static str = "name";
    const KIND: &'static str = "role";
    const NODE_KIND: NodeKind = NodeKind::DeepSecurityRole;

    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    fn cache_ttl(ttl: &CacheTtl) -> Duration {
        ttl.roles
    }

    fn audit_state(&self) -> Value {
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
    fn oversized_or_deeply_nested_rights_are_refused() {
        let read = |rights: &str| {
            serde_json::from_str::<Role>(&format!(r#"{{ "ID": 2, "rights": {rights} }}"#))
        };
        let wide = |bytes: usize| format!("[{}0]", "0,".repeat(bytes / 2));
        assert!(
            read(&wide(32 * 1024)).is_err(),
            "32 KiB of text would take many times as much in memory"
        );
        assert!(read(&format!("{}{}", "[".repeat(1000), "]".repeat(1000))).is_err());
        assert_eq!(read(&wide(1000)).unwrap().rights().unwrap().as_array().unwrap().len(), 501);
        assert_eq!(read("null").unwrap().rights(), None);
        assert_eq!(serde_json::from_str::<Role>(r#"{ "ID": 2 }"#).unwrap().rights(), None);
    }

    #[test]
    fn role_with_one_right_to_edit_is_not_read_only() {
        let computers = |edits: bool| {
            let rights =
                json!({ "canViewOtherComputers": true, "canEditComputerProperties": edits });
            json!({ "platformRights": { "computerRights": rights } })
        };
        assert!(role(computers(false)).only_views());
        assert!(!role(computers(true)).only_views());
        assert!(role(json!({})).only_views());
    }
}
