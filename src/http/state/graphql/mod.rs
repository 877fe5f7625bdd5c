//! The state that the GraphQL endpoint keeps between requests.

pub mod documents;
pub mod limits;
mod token_count;
pub mod trusted;

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::{Config, Introspection, LimitsConfig};
use crate::error::{Error, Result};
use crate::graphql::{Executor, SchemaModel};
use documents::DocumentCache;
use trusted::TrustedDocuments;

/// The schemas that execute operations, equal but for the way in which responses are counted.
pub struct Executors {
    /// Executes short operations whose lists all have a length that the request sets: their
    /// responses are counted when they are complete.
    pub short: Arc<dyn Executor>,
    /// Executes all other operations and subscriptions, and counts each value as it is resolved.
    /// For that the library boxes a future per field.
    pub long: Arc<dyn Executor>,
}

impl From<Arc<dyn Executor>> for Executors {
    fn from(executor: Arc<dyn Executor>) -> Self {
        Self { short: executor.clone(), long: executor }
    }
}

/// The schema, the documents that are known, and the limits of operations.
pub struct GraphqlState {
    /// Execute operations.
    pub executors: Executors,
    /// Whether authenticated callers may introspect the schema.
    pub introspection: bool,
    /// Whether a POST may hold a list of operations.
    pub batching: bool,
    /// Whether a document may be named by its hash.
    pub persisted_queries: bool,
    model: Arc<SchemaModel>,
    document_cache: u64,
    current: ArcSwap<CurrentRules>,
}

/// The rules that a reload replaces as a whole.
pub struct CurrentRules {
    /// The limits of documents and operations.
    pub limits: LimitsConfig,
    /// Documents that were validated within these limits.
    pub documents: Arc<DocumentCache>,
    /// Documents that are registered for execution.
    pub trusted: TrustedDocuments,
}

impl GraphqlState {
    /// The state for that schema.
    ///
    /// # Errors
    /// If the schema is not valid, or the file of trusted documents cannot be read.
    pub fn new(executors: Executors, config: &Config) -> Result<Self> {
        let own = &config.graphql;
        let introspection = own.introspection == Introspection::Authenticated;
        let model =
            SchemaModel::parse(&executors.short.sdl(), executors.short.scalars(), introspection);
        let model =
            model.map_err(|why| Error::internal(format!("the schema is not valid: {why}")))?;
        let model = Arc::new(model);
        let limits = config.limits.clone();
        let documents = DocumentCache::new(model.clone(), limits.clone(), own.document_cache);
        let trusted = load_trusted(config)?;
        let current = CurrentRules { limits, documents: Arc::new(documents), trusted };
        Ok(Self {
            executors,
            introspection,
            batching: own.batching,
            persisted_queries: own.persisted_queries,
            model,
            document_cache: own.document_cache,
            current: ArcSwap::from_pointee(current),
        })
    }

    /// The rules in force now.
    pub fn current(&self) -> Arc<CurrentRules> {
        self.current.load_full()
    }

    /// Puts other limits and trusted documents into force. Operations that run keep theirs. New
    /// limits begin with an empty cache, since it holds documents that passed the old ones.
    pub fn replace(&self, limits: LimitsConfig, is_changed: bool, trusted: TrustedDocuments) {
        let documents = if is_changed {
            let model = self.model.clone();
            Arc::new(DocumentCache::new(model, limits.clone(), self.document_cache))
        } else {
            self.current.load().documents.clone()
        };
        self.current.store(Arc::new(CurrentRules { limits, documents, trusted }));
    }
}

/// Reads the trusted documents of these settings.
///
/// # Errors
/// If the file cannot be read or is not valid.
pub fn load_trusted(config: &Config) -> Result<TrustedDocuments> {
    let own = &config.graphql;
    TrustedDocuments::load(own.trusted_documents.as_deref(), own.trusted_documents_mode)
}
