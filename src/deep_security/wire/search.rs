//! Searches and their results (`docs/reference/deep-security-api.md`, section 5).

use serde::de::{DeserializeSeed, Deserializer};
use serde::{Deserialize, Serialize};

use super::{ListSeed, Resource};

/// A list response, each object whole.
pub struct Page<T>(pub Vec<T>);

impl<'de, T: Resource> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ListSeed::new().deserialize(deserializer).map(Self)
    }
}

/// The body of a search.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchFilter<'a> {
    /// The most objects of the response.
    pub max_items: usize,
    /// The criteria, all of which must hold.
    pub search_criteria: Vec<&'a Criterion>,
    /// Always true: pages are ranges of ids.
    #[serde(rename = "sortByObjectID")]
    pub sort_by_object_id: bool,
}

/// One test on one field. Absent members are not sent.
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
    /// Milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_date_value: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_date_inclusive: Option<bool>,
    /// Milliseconds since 1970-01-01 UTC.
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
