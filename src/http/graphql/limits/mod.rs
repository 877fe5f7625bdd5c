//! The limits of a document: one set for every transport, judged before validation.

use async_graphql::ServerError;

use super::outcome::failure;
use super::token_count;
use crate::config::LimitsConfig;
use crate::error::ErrorCode;
use crate::graphql::{Cost, Shape};

/// No tool renames or repeats anything when it reads the schema, and each time would be a whole
/// schema more.
const INTROSPECTION_ALIASES: u64 = 4;

/// As graphql-js has it: deeper lists of types in types multiply, and no tool asks for them.
const INTROSPECTION_LISTS: usize = 2;

/// What the text of a document must keep to before the parser sees it.
///
/// # Errors
/// `OPERATION_TOO_COSTLY`, naming the limit, or `GRAPHQL_PARSE_FAILED` for a string without end.
pub fn check_text(
    limits: &LimitsConfig,
    text: &str,
) -> Result<token_count::DocumentStats, ServerError> {
    at_most("document", text.len(), limits.document)?;
    let shape = token_count::count(text).map_err(|token_count::UnterminatedString| {
        failure(ErrorCode::GraphqlParseFailed, "Syntax Error: Unterminated string.")
    })?;
    at_most("tokens", shape.tokens, limits.tokens)?;
    at_most("nesting", shape.nesting, limits.nesting)?;
    Ok(shape)
}

/// What a parsed document must keep to before it is validated.
///
/// # Errors
/// `OPERATION_TOO_COSTLY`, naming the limit.
pub fn check_shape(limits: &LimitsConfig, shape: &Shape) -> Result<(), ServerError> {
    at_most("operations", shape.operations, limits.operations)?;
    at_most("fragments", shape.fragments, limits.fragments)?;
    at_most("directives", shape.directives, limits.directives)?;
    at_most("nesting", shape.nesting, limits.nesting)
}

/// What an operation, or the sum of a batch, must keep to.
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

/// `OPERATION_TOO_COSTLY` if the value is more than the limit of that name allows.
///
/// # Errors
/// As said.
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

/// The refusal of what is more than a limit allows.
pub fn too_costly(
    limit: &'static str,
    value: impl Into<Count>,
    maximum: impl Into<Count>,
) -> ServerError {
    let (Count(value), Count(maximum)) = (value.into(), maximum.into());
    let message =
        format!("limit `{limit}`: {value} is more than {maximum}, the most that is allowed");
    let mut error = failure(ErrorCode::OperationTooCostly, message);
    let extensions = error.extensions.get_or_insert_default();
    extensions.set("limit", limit);
    extensions.set("value", value);
    extensions.set("maximum", maximum);
    error
}

/// A number of anything.
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
