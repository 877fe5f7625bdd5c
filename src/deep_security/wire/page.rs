//! Lists of objects.

use std::time::Duration;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer};
use serde::{Deserialize, Serialize};

use super::Objects;
use crate::deep_security::cache_ttl::CacheTtl;
use crate::global_id::NodeKind;

/// A kind of object that can be listed and searched (`docs/reference/deep-security-api.md`, section
/// 7).
pub trait Resource: DeserializeOwned + Send + Sync + 'static {
    /// The first segment of its paths.
    const COLLECTION: &'static str;
    /// The member of a list's answer that holds the objects.
    const JSON_KEY: &'static str;
    /// The field that holds the name by which people know it.
    const NAME_FIELD: &'static str;
    /// What a caller is told does not exist.
    const KIND: &'static str;
    /// The type in its global id.
    const NODE_KIND: NodeKind;

    /// Its id, unique in its tenant.
    fn id(&self) -> i64;

    /// Its name; empty if it has none.
    fn name(&self) -> &str;

    /// Lets go of the ids of its rules, of which it may hold thousands.
    fn forget_rules(&mut self) {}

    /// For how long an answer about it serves again. Not at all, unless there is a setting for it.
    fn cache_ttl(_: &CacheTtl) -> Duration {
        Duration::ZERO
    }

    /// What the audit log keeps of it. Never a secret.
    fn state(&self) -> serde_json::Value;
}

/// The answer to a search, each object whole.
pub struct Page<T>(pub Vec<T>);

impl<'de, T: Resource> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Objects::with(None).deserialize(deserializer).map(Self)
    }
}

/// The body of a search (`docs/reference/deep-security-api.md`, section 5). What is absent is left
/// out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchFilter<'a> {
    /// The most objects of the answer.
    pub max_items: usize,
    /// All of which must hold.
    pub search_criteria: Vec<&'a Criterion>,
    /// Always true: windows go by id.
    #[serde(rename = "sortByObjectID")]
    pub sort_by_object_id: bool,
}

/// One test on one field, as the vendor has it. What is absent is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Criterion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_test: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_wildcards: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numeric_test: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numeric_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice_test: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boolean_test: Option<bool>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_date_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_date_inclusive: Option<bool>,
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_date_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_date_inclusive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub null_test: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_test: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_test: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_value: Option<i64>,
}
