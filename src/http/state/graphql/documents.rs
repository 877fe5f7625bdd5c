//! Documents that were parsed and validated before, and the hashes that name them.

use std::sync::Arc;

use async_graphql::ServerError;
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use serde_json::{Map, Value};

use super::limits;
use crate::config::LimitsConfig;
use crate::error::{ErrorCode, RequestErrors, request_error, set_code};
use crate::graphql::{Document, NormalForm, Operation, Refusal, SchemaModel, Shape, Variables};

/// About how much memory a token takes once parsed: a field is some two hundred bytes, and as many
/// in the plan that its resolver compiles.
const BYTES_PER_TOKEN: u64 = 512;

/// How often a response key is kept: in the normal form, and in plans up to the depth of linked
/// objects.
const COPIES_OF_KEYS: u64 = 8;

/// The SHA-256 of a document's text.
pub type DocumentHash = [u8; 32];

/// A parsed document that has passed validation.
pub struct ValidDocument {
    document: Document,
    tokens: usize,
    weight: u64,
}

impl ValidDocument {
    /// The number of tokens of its text.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// The operation of that name, or the only one (GraphQL, section 6.1).
    ///
    /// # Errors
    /// `OPERATION_RESOLUTION_FAILURE` for an unknown name, or for several operations and no name.
    pub fn choose(&self, name: Option<&str>) -> Result<&Operation, ServerError> {
        self.document.choose(name).ok_or_else(|| {
            let message = match name {
                Some(name) => format!("Unknown operation named \"{name}\"."),
                None => {
                    "Must provide operation name if query contains multiple operations.".to_owned()
                }
            };
            request_error(ErrorCode::OperationResolutionFailure, message)
        })
    }
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<DocumentHash, Arc<ValidDocument>> for ByMemory {
    fn weight(&self, _: &DocumentHash, document: &Arc<ValidDocument>) -> u64 {
        document.weight
    }
}

/// Parses and validates documents, and caches the valid ones.
pub struct DocumentCache {
    model: Arc<SchemaModel>,
    limits: LimitsConfig,
    // Shared by all tenants: a document holds what a caller requests, never an answer, and its hash
    // can be computed only from its text.
    valid: Cache<DocumentHash, Arc<ValidDocument>, ByMemory>,
}

impl DocumentCache {
    /// A cache of at most `bytes` of documents.
    pub fn new(model: Arc<SchemaModel>, limits: LimitsConfig, bytes: u64) -> Self {
        Self { model, limits, valid: Cache::with_weighter(1000, bytes, ByMemory) }
    }

    /// The cached document of that hash.
    pub fn cached(&self, hash: &DocumentHash) -> Option<Arc<ValidDocument>> {
        self.valid.get(hash)
    }

    /// Parses and validates a document within the limits, unless it is cached.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`, `OPERATION_TOO_COSTLY` or `GRAPHQL_VALIDATION_FAILED`.
    pub fn validate(
        &self,
        hash: DocumentHash,
        text: &str,
    ) -> Result<Arc<ValidDocument>, RequestErrors> {
        if let Some(valid) = self.cached(&hash) {
            return Ok(valid);
        }
        let tokens = limits::check_text(&self.limits, text)?.tokens;
        let check = |shape: &Shape| limits::check_shape(&self.limits, shape);
        let document = Document::parse(&self.model, text, self.limits.fields, check);
        let document = document.map_err(|refusal| self.request_errors(refusal))?;
        // Expanded fragments may make the normal forms larger than the text.
        let normal_forms = || document.operations().iter().filter_map(Operation::normal_form);
        let size = (tokens as u64).max(normal_forms().map(NormalForm::fields).sum());
        let keys: u64 = normal_forms().map(NormalForm::key_bytes).sum();
        let weight = text.len() as u64 + size * BYTES_PER_TOKEN + keys * COPIES_OF_KEYS;
        let valid = Arc::new(ValidDocument { document, tokens, weight });
        self.valid.insert(hash, valid.clone());
        Ok(valid)
    }

    /// Coerces the variables of a request, and gives them with the operation's normal form.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` for variables that cannot be coerced, `OPERATION_TOO_COSTLY`.
    pub fn bind(
        &self,
        valid: &ValidDocument,
        operation: &Operation,
        given: &Map<String, Value>,
    ) -> Result<(Arc<NormalForm>, Variables), RequestErrors> {
        let bound = valid.document.bind(&self.model, operation, given);
        bound.map_err(|refusal| self.request_errors(refusal))
    }

    fn request_errors(&self, refusal: Refusal) -> RequestErrors {
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
        for error in &mut errors {
            set_code(error, code);
        }
        RequestErrors(errors)
    }
}

/// Hashes the text of a document.
pub fn hash(text: &str) -> DocumentHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}

/// Formats a hash as 64 hexadecimal digits.
pub fn hex(hash: &DocumentHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Parses a hash of 64 hexadecimal digits, in upper or lower case.
pub fn parse_hash(text: &str) -> Option<DocumentHash> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect::<Option<Vec<_>>>()?;
    if rest.is_empty() { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_document_weighs_the_keys_of_its_expanded_fragments() {
        let model = SchemaModel::parse("type Query { a: Query b: Int }", [].into(), false).unwrap();
        let cache = DocumentCache::new(Arc::new(model), LimitsConfig::default(), 1 << 30);
        let weight = |spreads: usize| {
            let below: String = (0..spreads).map(|at| format!("b{at}: a {{ ...F }} ")).collect();
            let key = "k".repeat(10_000);
            let text = format!("{{ a {{ {below} }} }} fragment F on Query {{ {key}: b }}");
            cache.validate(hash(&text), &text).unwrap_or_else(|_| panic!("it is valid")).weight
        };
        assert!(weight(101) - weight(1) > 100 * 10_000, "each spread has a copy of the key");
    }

    #[test]
    fn hash_is_64_digits() {
        assert_eq!(parse_hash(&"0f".repeat(32)), Some([15; 32]));
        assert_eq!(parse_hash(&hex(&hash("{a}"))), Some(hash("{a}")));
        for text in [String::new(), "0".repeat(63), "0".repeat(66), "g".repeat(64), "+0".repeat(32)]
        {
            assert_eq!(parse_hash(&text), None, "{text}");
        }
    }
}
