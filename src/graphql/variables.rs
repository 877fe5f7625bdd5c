//! The values of variables, coerced to their types (GraphQL, section 6.1.2).

use apollo_compiler::executable::Operation;
use async_graphql::{Name, ServerError, Value};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

use super::coerce::{self, Problem};
use super::error_at;
use super::literal;
use super::schema::SchemaModel;

/// The maximum number of reported errors in the variables of one request.
const ERRORS_MAX: usize = 50;

/// The coerced values. A variable that was not given and has no default is absent, which is not the
/// same as null.
#[derive(Debug, Default)]
pub struct Variables(HashMap<String, Value>);

impl Variables {
    /// The value, unless it is absent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Coerces the values of a request. Ignores values without a variable in the operation.
    ///
    /// # Errors
    /// One for each value that does not match its type, and for each that is missing.
    pub(super) fn coerce(
        model: &SchemaModel,
        operation: &Operation,
        given: &Map<String, Json>,
        at: impl Fn(&apollo_compiler::Name) -> Option<async_graphql::Pos>,
    ) -> Result<Self, Vec<ServerError>> {
        let mut values = HashMap::with_capacity(operation.variables.len());
        let mut errors = Vec::new();
        for variable in &operation.variables {
            let name = variable.name.as_str();
            let position = at(&variable.name);
            match given.get(name) {
                None => {
                    if let Some(default) = &variable.default_value {
                        values.insert(
                            name.to_owned(),
                            literal::constant(model, &variable.ty, default),
                        );
                    } else if variable.ty.is_non_null() {
                        let message = format!(
                            "Variable \"${name}\" of required type \"{}\" was not provided.",
                            variable.ty
                        );
                        errors.push(error_at(message, position));
                    }
                }
                Some(Json::Null) if variable.ty.is_non_null() => {
                    let message = format!(
                        "Variable \"${name}\" of non-null type \"{}\" must not be null.",
                        variable.ty
                    );
                    errors.push(error_at(message, position));
                }
                Some(value) => {
                    let mut problems = Vec::new();
                    let coerced =
                        coerce::json(model, &variable.ty, value, &mut String::new(), &mut problems);
                    errors.extend(
                        problems.into_iter().map(|problem| invalid(name, &problem, position)),
                    );
                    values.insert(name.to_owned(), coerced);
                }
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

/// Names the problem and its position, never the value itself: it may be a secret.
fn invalid(name: &str, problem: &Problem, at: Option<async_graphql::Pos>) -> ServerError {
    let place = if problem.path.is_empty() {
        String::new()
    } else {
        format!(" at \"{name}{}\"", problem.path)
    };
    error_at(format!("Variable \"${name}\" got invalid value{place}; {}", problem.message), at)
}

impl FromIterator<(Name, Value)> for Variables {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(values: I) -> Self {
        Self(values.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
    }
}
