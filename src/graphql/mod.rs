//! The GraphQL specification before execution: parses and validates documents, coerces variables,
//! and computes the normal form of an operation. async-graphql executes only normal forms.
//!
//! apollo-compiler parses and validates; `rules`, `merging` and `subscription` complete it. No
//! other room uses it.

mod coerce;
mod coerce_variables;
mod collect;
mod compiled;
mod cost;
mod diagnostics;
mod document;
mod graphql_ext;
mod introspection;
mod literal;
mod merging;
mod normal_form;
mod rules;
mod schema;
mod shape;
mod subscription;
mod suggestions;
mod syntax;
mod syntax_message;
mod variables;
mod weight;

pub use cost::Cost;
pub use document::{Document, Operation};
pub use graphql_ext::{
    ExecutableSchema, Executor, execute, schema_text, subscribe, write_json, written_json,
};
pub use normal_form::{Field, NormalForm, TYPE_KEY};
pub use schema::{Scalar, SchemaModel};
pub use shape::Shape;
pub use variables::Variables;
pub use weight::{sum, weigh, weigh_all, weight_of_json};

use async_graphql::{Pos, ServerError};

/// Why a document or its variables are refused before execution.
#[derive(Debug)]
pub enum Refusal {
    /// The text is not valid GraphQL syntax.
    Syntax(Vec<ServerError>),
    /// The document is not valid for the schema.
    Invalid(Vec<ServerError>),
    /// The values of the variables do not match their types.
    Variables(Vec<ServerError>),
    /// The text exceeds a limit.
    Limit(ServerError),
    /// The operation has too many fields to collect.
    TooLarge,
}

/// An error at a position in the document.
fn error_at(message: impl Into<String>, at: Option<Pos>) -> ServerError {
    ServerError::new(message, at)
}

#[cfg(test)]
pub(crate) mod testing {
    use std::collections::HashMap;

    use async_graphql::{ObjectType, Request, Response, Schema, SubscriptionType};
    use serde_json::Value as Json;

    use super::{Document, ExecutableSchema, Executor, Refusal, SchemaModel, execute};

    /// Executes a document as every request is executed.
    pub(crate) async fn answer<Q, M, S>(
        roots: (Q, M, S),
        text: &str,
        variables: Json,
    ) -> Result<Response, Refusal>
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let (query, mutation, subscription) = roots;
        let schema = ExecutableSchema::new(Schema::build(query, mutation, subscription));
        let model = SchemaModel::parse(&schema.sdl(), HashMap::new(), true).unwrap();
        let document = Document::parse(&model, text, 10_000, |_| Ok(()))?;
        let operation = document.choose(None).unwrap();
        let variables = variables.as_object().cloned().unwrap_or_default();
        let (normal_form, variables) = document.bind(&model, operation, &variables)?;
        Ok(execute(&schema, &normal_form, &variables, || Request::new("")).await)
    }
}
