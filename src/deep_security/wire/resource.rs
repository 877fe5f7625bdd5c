//! The kinds of objects that the API lists and searches.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::deep_security::cache_ttl::CacheTtl;
use crate::global_id::NodeKind;
use crate::projection::Identity;

/// A kind of object that can be listed and searched (`docs/reference/deep-security-api.md`, section
/// 7).
pub trait Resource: DeserializeOwned + Send + Sync + 'static {
    /// The first segment of its paths.
    const COLLECTION: &'static str;
    /// The member of a list response that holds the objects.
    const JSON_KEY: &'static str;
    /// The field that holds the name that people know it by.
    const NAME_FIELD: &'static str;
    /// Its name in error messages.
    const KIND: &'static str;
    /// The type in its global id.
    const NODE_KIND: NodeKind;

    /// The members that identify an object.
    fn identity() -> Identity {
        Identity { node: Self::NODE_KIND, id: "ID".to_owned(), name: Self::NAME_FIELD.to_owned() }
    }

    /// The id, unique within its tenant.
    fn id(&self) -> i64;

    /// The name; empty if it has none.
    fn name(&self) -> &str;

    /// How long responses about it are cached; zero unless there is a setting for this kind.
    fn cache_ttl(_: &CacheTtl) -> Duration {
        Duration::ZERO
    }

    /// The state that the audit log records. Never contains a secret.
    fn audit_state(&self) -> serde_json::Value;
}
