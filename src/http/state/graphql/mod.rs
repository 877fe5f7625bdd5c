//! The state that the GraphQL endpoint keeps between requests.

pub mod document_hash;
pub mod documents;
pub mod limits;
pub mod request_errors;
mod token_count;
pub mod trusted;

use std::sync::Arc;

use crate::config::{Config, Introspection, LimitsConfig};
use crate::error::{Error, Result};
use crate::graphql::{Executor, SchemaModel};
use documents::DocumentCache;
use trusted::TrustedDocuments;

/// The schema, the documents that are known, and the limits of operations.
pub struct GraphqlState {
    /// Executes operations.
    pub executor: Arc<dyn Executor>,
    /// The limits of documents and operations.
    pub limits: LimitsConfig,
    /// Documents that were validated before.
    pub documents: DocumentCache,
    /// Documents that are registered for execution.
    pub trusted: TrustedDocuments,
    /// Whether authenticated callers may introspect the schema.
    pub introspection: bool,
    /// Whether a POST may hold a list of operations.
    pub batching: bool,
    /// Whether a document may be named by its hash.
    pub persisted_queries: bool,
}

impl GraphqlState {
    /// The state for that schema.
    ///
    /// # Errors
    /// If the schema is not valid, or the file of trusted documents cannot be read.
    pub fn new(executor: Arc<dyn Executor>, config: &Config) -> Result<Self> {
        let own = &config.graphql;
        let introspection = own.introspection == Introspection::Authenticated;
        let model = SchemaModel::parse(&executor.sdl(), executor.scalars(), introspection);
        let model =
            model.map_err(|why| Error::internal(format!("the schema is not valid: {why}")))?;
        let trusted = own.trusted_documents.as_deref();
        Ok(Self {
            executor,
            limits: config.limits.clone(),
            documents: DocumentCache::new(model, config.limits.clone(), own.document_cache),
            trusted: TrustedDocuments::load(trusted, own.trusted_documents_mode)?,
            introspection,
            batching: own.batching,
            persisted_queries: own.persisted_queries,
        })
    }
}
