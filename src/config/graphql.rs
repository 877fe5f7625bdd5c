use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ranges;

/// What the GraphQL endpoint offers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphqlConfig {
    /// Who may read the schema through `__schema` and `__type`: `authenticated` or `off`.
    /// Variable `TENANT_GATEWAY__GRAPHQL__INTROSPECTION`, default `authenticated`.
    pub introspection: Introspection,

    /// Whether a POST may hold a list of operations; `limits.batch` says how many, and the other
    /// limits apply to their sum. Variable `TENANT_GATEWAY__GRAPHQL__BATCHING`, default `false`.
    pub batching: bool,

    /// Whether a caller may register a document and then send its SHA-256 alone (automatic
    /// persisted queries). Variable `TENANT_GATEWAY__GRAPHQL__PERSISTED_QUERIES`, default `true`.
    pub persisted_queries: bool,

    /// The JSON file of trusted documents: an object of SHA-256 to document, or one with
    /// `documents` of that form and `clients`, which maps a `client_id` to its own `mode` and
    /// `documents`. Variable `TENANT_GATEWAY__GRAPHQL__TRUSTED_DOCUMENTS`, default absent.
    pub trusted_documents: Option<PathBuf>,

    /// What becomes of a document that is not in that file: `off` executes it, `warn` executes and
    /// logs it, `only` refuses it. Variable `TENANT_GATEWAY__GRAPHQL__TRUSTED_DOCUMENTS_MODE`,
    /// default `off`.
    pub trusted_documents_mode: TrustedDocumentsMode,

    /// How many bytes of memory documents may take that were parsed before, from 0 to 1073741824.
    /// Variable `TENANT_GATEWAY__GRAPHQL__DOCUMENT_CACHE`, default `16777216`.
    pub document_cache: u64,
}

/// Who may read the schema. There is no mode for everybody: without a valid token a request is
/// refused before its document is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    /// Any valid token.
    #[default]
    Authenticated,
    /// Nobody.
    Off,
}

/// What becomes of a document that is not trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustedDocumentsMode {
    /// It is executed.
    #[default]
    Off,
    /// It is executed, and the log says so.
    Warn,
    /// It is refused.
    Only,
}

impl Default for GraphqlConfig {
    fn default() -> Self {
        Self {
            introspection: Introspection::default(),
            batching: false,
            persisted_queries: true,
            trusted_documents: None,
            trusted_documents_mode: TrustedDocumentsMode::default(),
            document_cache: 16 * 1024 * 1024,
        }
    }
}

impl GraphqlConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.document_cache, 0..=1024 * 1024 * 1024)
    }
}
