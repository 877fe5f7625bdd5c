use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ranges;

/// Features of the GraphQL endpoint.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphqlConfig {
    /// The callers who may introspect the schema through `__schema` and `__type`: `authenticated`
    /// or `off`. Variable `TENANT_GATEWAY__GRAPHQL__INTROSPECTION`, default `authenticated`.
    pub introspection: Introspection,

    /// Whether a POST may contain a list of operations: at most `limits.batch`; the other limits
    /// apply to their sum. Variable `TENANT_GATEWAY__GRAPHQL__BATCHING`, default `false`.
    pub batching: bool,

    /// Whether a caller may register a document and then send only its SHA-256 (automatic persisted
    /// queries). Variable `TENANT_GATEWAY__GRAPHQL__PERSISTED_QUERIES`, default `true`.
    pub persisted_queries: bool,

    /// The JSON file of trusted documents: an object that maps a SHA-256 to its document, or one
    /// with `documents` of that form and `clients`, which maps a `client_id` to its own `mode` and
    /// `documents`. Variable `TENANT_GATEWAY__GRAPHQL__TRUSTED_DOCUMENTS`, default absent.
    pub trusted_documents: Option<PathBuf>,

    /// How documents that are not in that file are treated: `off` executes them, `warn` executes
    /// and logs them, `only` refuses them. Variable
    /// `TENANT_GATEWAY__GRAPHQL__TRUSTED_DOCUMENTS_MODE`, default `off`.
    pub trusted_documents_mode: TrustedDocumentsMode,

    /// The size of the cache of parsed documents in bytes, from 0 to 1073741824.
    /// Variable `TENANT_GATEWAY__GRAPHQL__DOCUMENT_CACHE`, default `16777216`.
    pub document_cache: u64,
}

/// The callers who may introspect the schema. Anonymous callers never may: a request without a
/// valid token is refused before its document is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    /// Every caller with a valid token.
    #[default]
    Authenticated,
    /// No caller.
    Off,
}

/// How documents that are not trusted are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustedDocumentsMode {
    /// They are executed.
    #[default]
    Off,
    /// They are executed and logged.
    Warn,
    /// They are refused.
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
