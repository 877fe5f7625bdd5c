//! Documents that were parsed and validated before.

use std::sync::Arc;

use async_graphql::ServerError;
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use super::limits;
use super::outcome::{RequestErrors, failure, set_code};
use crate::config::LimitsConfig;
use crate::error::ErrorCode;
use crate::graphql::{Document, NormalForm, Operation, Refusal, SchemaModel, Shape, Variables};

/// About what a token takes in memory once it is parsed: a field is some two hundred bytes.
const BYTES_PER_TOKEN: u64 = 256;

/// The SHA-256 of a document's text.
pub type Hash = [u8; 32];

/// The hash of a text.
pub fn hash(text: &str) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// A hash as it is written: 64 digits.
pub fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A valid document.
pub struct ValidDocument {
    document: Document,
    tokens: usize,
    weight: u64,
}

impl ValidDocument {
    /// How many tokens its text has.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// The operation of that name, or the only one (GraphQL, section 6.1).
    ///
    /// # Errors
    /// `OPERATION_RESOLUTION_FAILURE` if there is none of that name, or several and no name.
    pub fn choose(&self, name: Option<&str>) -> Result<&Operation, ServerError> {
        self.document.choose(name).ok_or_else(|| {
            let message = match name {
                Some(name) => format!("Unknown operation named \"{name}\"."),
                None => {
                    "Must provide operation name if query contains multiple operations.".to_owned()
                }
            };
            failure(ErrorCode::OperationResolutionFailure, message)
        })
    }
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<Hash, Arc<ValidDocument>> for ByMemory {
    fn weight(&self, _: &Hash, parsed: &Arc<ValidDocument>) -> u64 {
        parsed.weight
    }
}

/// Parses and validates documents, and remembers those that are valid.
pub struct DocumentCache {
    model: SchemaModel,
    limits: LimitsConfig,
    // By hash alone, the same for all tenants: a document is what somebody asks, never what
    // somebody was told, and who does not know the text cannot name its hash.
    parsed: Cache<Hash, Arc<ValidDocument>, ByMemory>,
}

impl DocumentCache {
    /// Remembers documents of at most `bytes` together.
    pub fn new(model: SchemaModel, limits: LimitsConfig, bytes: u64) -> Self {
        Self { model, limits, parsed: Cache::with_weighter(1000, bytes, ByMemory) }
    }

    /// A document that was parsed before.
    pub fn known(&self, hash: &Hash) -> Option<Arc<ValidDocument>> {
        self.parsed.get(hash)
    }

    /// The document, within the limits.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`, `OPERATION_TOO_COSTLY` or `GRAPHQL_VALIDATION_FAILED`.
    pub fn parse(&self, hash: Hash, text: &str) -> Result<Arc<ValidDocument>, RequestErrors> {
        if let Some(parsed) = self.known(&hash) {
            return Ok(parsed);
        }
        let tokens = limits::check_text(&self.limits, text)?.tokens;
        let check = |shape: &Shape| limits::check_shape(&self.limits, shape);
        let document = Document::parse(&self.model, text, self.limits.fields, check);
        let document = document.map_err(|refusal| self.refused(refusal))?;
        // Expanded fragments may make the normal forms larger than the text.
        let fields =
            document.operations().iter().filter_map(Operation::normal_form).map(NormalForm::fields);
        let size = (tokens as u64).max(fields.sum());
        let weight = text.len() as u64 + size * BYTES_PER_TOKEN;
        let parsed = Arc::new(ValidDocument { document, tokens, weight });
        self.parsed.insert(hash, parsed.clone());
        Ok(parsed)
    }

    /// What a request executes: the normal form of its operation and the values of the variables.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` for variables that do not fit, `OPERATION_TOO_COSTLY`.
    pub fn bind(
        &self,
        parsed: &ValidDocument,
        operation: &Operation,
        given: &Map<String, Value>,
    ) -> Result<(Arc<NormalForm>, Variables), RequestErrors> {
        parsed.document.bind(&self.model, operation, given).map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: Refusal) -> RequestErrors {
        let (mut errors, code) = match refusal {
            Refusal::Syntax(errors) => (errors, ErrorCode::GraphqlParseFailed),
            Refusal::Invalid(errors) | Refusal::Variables(errors) => {
                (errors, ErrorCode::GraphqlValidationFailed)
            }
            Refusal::Limit(error) => return error.into(),
            Refusal::TooLarge => {
                let maximum = self.limits.fields;
                return limits::too_costly("fields", maximum.saturating_add(1), maximum).into();
            }
        };
        errors.iter_mut().for_each(|error| set_code(error, code));
        RequestErrors(errors)
    }
}
