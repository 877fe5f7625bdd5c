//! Coercion of the values of variables to their types (GraphQL, section 6.1.2).

use std::collections::HashMap;

use apollo_compiler::ast::VariableDefinition;
use apollo_compiler::executable::Operation;
use async_graphql::{Pos, ServerError, Value};
use serde_json::{Map, Value as Json};

use super::coerce::{self, Problem};
use super::error_at;
use super::literal;
use super::schema::SchemaModel;
use super::variables::Variables;

/// The maximum number of reported errors in the variables of one request.
const ERRORS_MAX: usize = 50;

impl Variables {
    /// Coerces the values of a request. Ignores values without a variable in the operation.
    ///
    /// # Errors
    /// One for each value that does not match its type, and for each that is missing.
    pub(super) fn coerce(
        model: &SchemaModel,
        operation: &Operation,
        given: &Map<String, Json>,
        at: impl Fn(&apollo_compiler::Name) -> Option<Pos>,
    ) -> Result<Self, Vec<ServerError>> {
        let mut values = HashMap::with_capacity(operation.variables.len());
        let mut errors = Vec::new();
        for variable in &operation.variables {
            let given = given.get(variable.name.as_str());
            match value_of(model, variable, given, at(&variable.name)) {
                Ok(value) => values.extend(value.map(|value| (variable.name.to_string(), value))),
                Err(found) => errors.extend(found),
            }
            if errors.len() >= ERRORS_MAX {
                errors.truncate(ERRORS_MAX);
                errors.push(error_at(
                    "Too many errors processing variables, error limit reached.",
                    None,
                ));
                break;
            }
        }
        if errors.is_empty() { Ok(Self(values)) } else { Err(errors) }
    }
}

/// The value of one variable; `None` if it is absent.
fn value_of(
    model: &SchemaModel,
    variable: &VariableDefinition,
    given: Option<&Json>,
    at: Option<Pos>,
) -> Result<Option<Value>, Vec<ServerError>> {
    let name = variable.name.as_str();
    let ty = &variable.ty;
    match (given, &variable.default_value) {
        (None, Some(default)) => Ok(Some(literal::constant(model, ty, default))),
        (None, None) if ty.is_non_null() => {
            let message =
                format!("Variable \"${name}\" of required type \"{ty}\" was not provided.");
            Err(vec![error_at(message, at)])
        }
        (None, None) => Ok(None),
        (Some(Json::Null), _) if ty.is_non_null() => {
            let message =
                format!("Variable \"${name}\" of non-null type \"{ty}\" must not be null.");
            Err(vec![error_at(message, at)])
        }
        (Some(value), _) => {
            let mut problems = Vec::new();
            let coerced = coerce::json(model, ty, value, &mut String::new(), &mut problems);
            if problems.is_empty() {
                return Ok(Some(coerced));
            }
            Err(problems.iter().map(|problem| invalid(name, problem, at)).collect())
        }
    }
}

/// Names the problem and its position, never the value itself: it may be a secret.
fn invalid(name: &str, problem: &Problem, at: Option<Pos>) -> ServerError {
    let place = if problem.path.is_empty() {
        String::new()
    } else {
        format!(" at \"{name}{}\"", problem.path)
    };
    error_at(format!("Variable \"${name}\" got invalid value{place}; {}", problem.message), at)
}
