//! The limits of documents and operations, the same for every transport.

use async_graphql::ServerError;

use super::token_count::{self, DocumentStats, UnterminatedString};
use crate::config::LimitsConfig;
use crate::error::{ErrorCode, request_error};
use crate::graphql::{Cost, Shape};

/// Tools need no aliases to read the schema, and each alias could repeat the whole of it.
const INTROSPECTION_ALIASES: u64 = 4;

/// As in the rule `MaxIntrospectionDepthRule` of graphql-js: nested lists of fields and types
/// multiply, and no tool needs more.
const INTROSPECTION_LISTS: usize = 2;

/// Checks the text of a document before it is parsed.
///
/// # Errors
/// `OPERATION_TOO_COSTLY`, naming the limit, or `GRAPHQL_PARSE_FAILED` for an unterminated
/// string.
pub fn check_text(limits: &LimitsConfig, text: &str) -> Result<DocumentStats, ServerError> {
    at_most("document", text.len(), limits.document)?;
    let stats = token_count::count(text).map_err(|UnterminatedString| {
        request_error(ErrorCode::GraphqlParseFailed, "Syntax Error: Unterminated string.")
    })?;
    at_most("tokens", stats.tokens, limits.tokens)?;
    at_most("nesting", stats.nesting, limits.nesting)?;
    Ok(stats)
}

/// Checks a parsed document before it is validated.
///
/// # Errors
/// `OPERATION_TOO_COSTLY`, naming the limit.
pub fn check_shape(limits: &LimitsConfig, shape: &Shape) -> Result<(), ServerError> {
    at_most("operations", shape.operations, limits.operations)?;
    at_most("fragments", shape.fragments, limits.fragments)?;
    at_most("directives", shape.directives, limits.directives)?;
    at_most("nesting", shape.nesting, limits.nesting)
}

/// Checks the cost of an operation, or the sum of a batch.
///
/// # Errors
/// `OPERATION_TOO_COSTLY`, naming the limit.
pub fn check_cost(limits: &LimitsConfig, cost: &Cost) -> Result<(), ServerError> {
    at_most("fields", cost.fields, limits.fields)?;
    at_most("root_fields", cost.root_fields, limits.root_fields)?;
    at_most("aliases", cost.aliases, limits.aliases)?;
    at_most("cost", cost.weight, limits.cost)?;
    at_most("depth", cost.depth, limits.depth)?;
    at_most("introspection_depth", cost.introspection_depth, limits.introspection_depth)?;
    at_most("introspection_aliases", cost.introspection_aliases, INTROSPECTION_ALIASES)?;
    at_most("introspection_lists", cost.introspection_lists, INTROSPECTION_LISTS)
}

/// Checks a value against the limit of that name.
///
/// # Errors
/// `OPERATION_TOO_COSTLY` if the value is above the maximum.
pub fn at_most<T: PartialOrd + Into<Count>>(
    limit: &'static str,
    value: T,
    maximum: T,
) -> Result<(), ServerError> {
    if value <= maximum {
        return Ok(());
    }
    Err(too_costly(limit, value, maximum))
}

/// The error of a value above the limit of that name, with limit, value and maximum as extensions.
pub fn too_costly(
    limit: &'static str,
    value: impl Into<Count>,
    maximum: impl Into<Count>,
) -> ServerError {
    let Count(value) = value.into();
    let Count(maximum) = maximum.into();
    let message = format!("limit `{limit}` exceeded: {value} > {maximum}");
    let mut error = request_error(ErrorCode::OperationTooCostly, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("limit", limit);
    extensions.set("value", value);
    extensions.set("maximum", maximum);
    error
}

/// A count of either integer type.
pub struct Count(u64);

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}

#[cfg(test)]
mod tests;
