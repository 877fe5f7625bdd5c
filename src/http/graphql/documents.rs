//! Documents that were parsed and judged before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::ServerError;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::complete::chosen;
use super::cost::Cost;
use super::limits;
use super::outcome::{failure, set_code};
use crate::config::LimitsConfig;
use crate::error::ErrorCode;

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

/// A document within the limits.
pub struct Parsed {
    document: ExecutableDocument,
    tokens: usize,
    weight: u64,
    // In the order of the document's own iterator.
    costs: Vec<Cost>,
    valid: AtomicBool,
}

/// The operation that a request chose.
pub struct Chosen {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// What it costs.
    pub cost: Cost,
}

impl Parsed {
    /// The document.
    pub fn document(&self) -> &ExecutableDocument {
        &self.document
    }

    /// Whether it was found valid, and will be so for ever.
    pub fn is_valid(&self) -> bool {
        self.valid.load(Ordering::Relaxed)
    }

    /// Notes that it was answered without any error. With variables that says nothing of the next time: their values are judged
    /// along with it. Those that ask about the schema are judged always, since what does not judge has another.
    pub fn note_valid(&self) {
        let plain =
            self.document.operations.iter().all(|(_, operation)| operation.node.variable_definitions.is_empty());
        if plain && self.costs.iter().all(|cost| cost.introspection_depth == 0) {
            self.valid.store(true, Ordering::Relaxed);
        }
    }

    /// How many tokens its text has.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// The operation of that name, or the only one (GraphQL, section 6.1).
    ///
    /// # Errors
    /// `OPERATION_RESOLUTION_FAILURE` if there is none of that name, or several and no name.
    pub fn choose(&self, name: Option<&str>) -> Result<Chosen, ServerError> {
        let chosen = chosen(&self.document, name).ok_or_else(|| {
            let message = "the document has no operation of that name, or several and `operationName` chooses none";
            failure(ErrorCode::OperationResolutionFailure, message)
        })?;
        let all = self.document.operations.iter().zip(&self.costs);
        let cost =
            all.filter(|((_, operation), _)| std::ptr::eq(&operation.node, chosen)).map(|(_, cost)| *cost).next();
        Ok(Chosen { kind: chosen.ty, cost: cost.unwrap_or_default() })
    }
}

impl Parsed {
    /// The name of the field at the root of an operation that has that key in the answer.
    pub fn root_field(&self, operation: Option<&str>, key: &str) -> Option<&str> {
        let operation = chosen(&self.document, operation)?;
        self.field_in(&operation.selection_set.node, key)
    }

    fn field_in<'a>(&'a self, set: &'a SelectionSet, key: &str) -> Option<&'a str> {
        set.items.iter().find_map(|selection| match &selection.node {
            Selection::Field(field) => (field.node.response_key().node == key).then(|| field.node.name.node.as_str()),
            Selection::InlineFragment(inline) => self.field_in(&inline.node.selection_set.node, key),
            // There are no cycles: the document was counted.
            Selection::FragmentSpread(spread) => {
                let fragment = self.document.fragments.get(&spread.node.fragment_name.node)?;
                self.field_in(&fragment.node.selection_set.node, key)
            }
        })
    }
}

#[derive(Clone)]
struct ByMemory;

impl Weighter<Hash, Arc<Parsed>> for ByMemory {
    fn weight(&self, _: &Hash, parsed: &Arc<Parsed>) -> u64 {
        parsed.weight
    }
}

/// Parses documents and remembers them.
pub struct Documents {
    limits: LimitsConfig,
    // By hash alone, the same for all tenants: a document is what somebody asks, never what somebody was told, and who
    // does not know the text cannot name its hash.
    parsed: Cache<Hash, Arc<Parsed>, ByMemory>,
}

impl Documents {
    /// Remembers documents of at most `bytes` together.
    pub fn new(limits: LimitsConfig, bytes: u64) -> Self {
        Self { limits, parsed: Cache::with_weighter(1000, bytes, ByMemory) }
    }

    /// A document that was parsed before.
    pub fn known(&self, hash: &Hash) -> Option<Arc<Parsed>> {
        self.parsed.get(hash)
    }

    /// The document, within the limits.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`, `OPERATION_TOO_COSTLY`, or `GRAPHQL_VALIDATION_FAILED` for fragments that cannot be followed.
    pub fn parse(&self, hash: Hash, text: &str) -> Result<Arc<Parsed>, ServerError> {
        if let Some(parsed) = self.known(&hash) {
            return Ok(parsed);
        }
        let shape = limits::check_text(&self.limits, text)?;
        let document = parse(text)?;
        let costs = limits::check_document(&self.limits, &document)?;
        let weight = text.len() as u64 + shape.tokens as u64 * BYTES_PER_TOKEN;
        let parsed = Arc::new(Parsed { document, tokens: shape.tokens, weight, costs, valid: AtomicBool::new(false) });
        self.parsed.insert(hash, parsed.clone());
        Ok(parsed)
    }
}

fn parse(text: &str) -> Result<ExecutableDocument, ServerError> {
    // The parser is a foreign one with `unwrap`s in it; whatever text it trips over is the caller's fault, not ours.
    let parsed = catch_unwind(AssertUnwindSafe(|| parse_query(text)));
    let parsed = parsed.map_err(|_| failure(ErrorCode::GraphqlParseFailed, "the document cannot be read"))?;
    parsed.map_err(|error| {
        let mut failed = ServerError::from(error);
        set_code(&mut failed, ErrorCode::GraphqlParseFailed);
        failed
    })
}
