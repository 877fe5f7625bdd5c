//! A parsed and validated document, with the normal forms of its operations.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use apollo_compiler::ast;
use apollo_compiler::executable::{
    ExecutableDocument, Operation as Definition, OperationType as Kind,
};
use apollo_compiler::parser::{Parser, SourceSpan};
use apollo_compiler::validation::Valid;
use async_graphql::parser::types::OperationType;
use async_graphql::{Pos, ServerError};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

use super::collect::{Collector, Stop};
use super::diagnostics::{errors, without_suggestion};
use super::normal_form::NormalForm;
use super::schema::SchemaModel;
use super::shape::{self, Shape};
use super::syntax_message::syntax_message;
use super::variables::Variables;
use super::{Refusal, error_at, merging, rules, subscription, suggestions, syntax};

/// A valid document.
pub struct Document {
    executable: Valid<ExecutableDocument>,
    operations: Vec<Operation>,
    fields_max: u64,
}

/// An operation of a valid document.
pub struct Operation {
    /// The name in the document.
    pub name: Option<String>,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Shared by all requests; `None` if `@skip` or `@include` depends on variables.
    normal_form: Option<Arc<NormalForm>>,
}

impl Document {
    /// Parses and validates a document, and computes the normal form of each operation, of at most
    /// `fields_max` fields. `check` examines the size of the document before validation.
    ///
    /// # Errors
    /// If the text is not GraphQL, not valid, or too large.
    pub fn parse(
        model: &SchemaModel,
        text: &str,
        fields_max: u64,
        check: impl FnOnce(&Shape) -> Result<(), ServerError>,
    ) -> Result<Self, Refusal> {
        let parsed = parse(text)?;
        let shape = Shape::of(&parsed);
        check(&shape).map_err(Refusal::Limit)?;
        let validated = catch_unwind(AssertUnwindSafe(|| validate(model, &parsed)));
        let crashed =
            |_| Refusal::Invalid(vec![error_at("the document cannot be validated", None)]);
        let executable = validated.map_err(crashed)?.map_err(Refusal::Invalid)?;
        let mut document = Self { executable, operations: Vec::new(), fields_max };
        let operations: Result<Vec<_>, _> = document
            .executable
            .operations
            .iter()
            .map(|definition| document.operation(model, definition))
            .collect();
        document.operations = operations?;
        Ok(document)
    }

    fn operation(
        &self,
        model: &SchemaModel,
        definition: &Definition,
    ) -> Result<Operation, Refusal> {
        let normal_form = match self.collect(model, definition, None) {
            Ok(normal_form) => Some(Arc::new(normal_form)),
            Err(Stop::NeedsVariables) => None,
            Err(stop) => return Err(refusal(stop)),
        };
        let name = definition.name.as_ref().map(ToString::to_string);
        Ok(Operation { name, kind: kind(definition.operation_type), normal_form })
    }

    fn collect(
        &self,
        model: &SchemaModel,
        definition: &Definition,
        variables: Option<&Variables>,
    ) -> Result<NormalForm, Stop> {
        let mut collector = Collector::new(model, &self.executable, variables, self.fields_max);
        let selections =
            collector.selections(&definition.selection_set.ty, &[&definition.selection_set])?;
        let introspected = model.introspection.then(|| model.schema.clone());
        Ok(NormalForm::new(kind(definition.operation_type), selections, introspected))
    }

    /// The operations, in document order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of that name, or the only one (GraphQL, section 6.1).
    pub fn choose(&self, name: Option<&str>) -> Option<&Operation> {
        match name {
            Some(name) => {
                self.operations.iter().find(|operation| operation.name.as_deref() == Some(name))
            }
            None => match self.operations.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        }
    }

    /// Coerces the variables of a request, and returns them with the normal form of the operation.
    ///
    /// # Errors
    /// If a value does not match its type or is missing, or the normal form is too large.
    pub fn bind(
        &self,
        model: &SchemaModel,
        operation: &Operation,
        given: &Map<String, Json>,
    ) -> Result<(Arc<NormalForm>, Variables), Refusal> {
        let definition = self.executable.operations.get(operation.name.as_deref());
        let Ok(definition) = definition else { return Err(Refusal::TooLarge) };
        let at = |name: &apollo_compiler::Name| self.position(name.location());
        let variables =
            Variables::coerce(model, definition, given, at).map_err(Refusal::Variables)?;
        let normal_form = match &operation.normal_form {
            Some(normal_form) => normal_form.clone(),
            None => Arc::new(self.collect(model, definition, Some(&variables)).map_err(refusal)?),
        };
        Ok((normal_form, variables))
    }

    fn position(&self, span: Option<SourceSpan>) -> Option<Pos> {
        let at = span?.line_column(&self.executable.sources)?;
        Some(Pos { line: at.line, column: at.column })
    }
}

impl Operation {
    /// Its normal form, if all requests share it.
    pub fn normal_form(&self) -> Option<&NormalForm> {
        self.normal_form.as_deref()
    }
}

fn refusal(stop: Stop) -> Refusal {
    match stop {
        Stop::NullCondition => {
            let message = "Argument \"if\" of non-null type \"Boolean!\" must not be null.";
            Refusal::Variables(vec![error_at(message, None)])
        }
        Stop::NeedsVariables | Stop::TooLarge => Refusal::TooLarge,
    }
}

fn kind(kind: Kind) -> OperationType {
    match kind {
        Kind::Query => OperationType::Query,
        Kind::Mutation => OperationType::Mutation,
        Kind::Subscription => OperationType::Subscription,
    }
}

fn parse(text: &str) -> Result<ast::Document, Refusal> {
    // A panic of the parser is caused by the caller's text, and must not become an internal error.
    let parsed = catch_unwind(AssertUnwindSafe(|| parse_text(text)));
    parsed.unwrap_or_else(|_| {
        Err(Refusal::Syntax(vec![error_at("Syntax Error: the document cannot be read", None)]))
    })
}

fn parse_text(text: &str) -> Result<ast::Document, Refusal> {
    let refused = |(message, at)| Refusal::Syntax(vec![error_at(message, Some(at))]);
    let text = syntax::without_descriptions(text).map_err(refused)?;
    let parsed = Parser::new().parse_ast(text.as_ref(), "document.graphql");
    syntax::check(&text).map_err(refused)?;
    parsed.map_err(|failed| {
        let mut errors = errors(&failed.errors, &HashSet::new());
        errors.truncate(1);
        for error in &mut errors {
            error.message = syntax_message(&error.message);
        }
        Refusal::Syntax(errors)
    })
}

fn validate(
    model: &SchemaModel,
    document: &ast::Document,
) -> Result<Valid<ExecutableDocument>, Vec<ServerError>> {
    let executable = document.to_executable_validate(&model.schema).or_else(|failed| {
        if subscription::merges_into_one(&failed) {
            return Ok(Valid::assume_valid(failed.partial));
        }
        let mut errors = errors(&failed.errors, &shape::selecting(document));
        for error in &mut errors {
            if !model.introspection {
                without_suggestion(&mut error.message);
            }
            let message = std::mem::take(&mut error.message);
            error.message = suggestions::with_suggestion(model, message);
        }
        Err(errors)
    })?;
    let mut own = rules::check(model, &executable);
    own.extend(merging::conflicts(model, document));
    if own.is_empty() { Ok(executable) } else { Err(own) }
}
