//! Executes a normal form.
//!
//! async-graphql merges what is selected twice by its place in the answer, makes an absent variable
//! inside an input object null, and follows no fragment at the root of a subscription: it never
//! sees any of these here. It goes on with the next field of a mutation although one that may not
//! be null has failed; here each of several is executed on its own.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::OperationType;
use async_graphql::{
    InputType, Name, ObjectType, Request, Response, Schema, SchemaBuilder, SubscriptionType,
    ValidationMode, Value,
};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::arrange::{arrange, is_lost};
use super::schema_text::schema_text;
use crate::budget::ResponseMeter;
use crate::graphql::introspection::Introspection;
use crate::graphql::normal_form::NormalForm;
use crate::graphql::schema::Scalar;
use crate::graphql::variables::Variables;

/// A schema of any shape that executes documents which were validated before.
pub trait Executor: Send + Sync {
    /// The schema's text.
    fn sdl(&self) -> String;

    /// What checks the values of its custom scalars, by their names.
    fn scalars(&self) -> HashMap<String, Scalar>;

    /// Executes a query or a mutation.
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;

    /// Executes a subscription.
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
}

/// A schema of the library that validates nothing: only normal forms of valid documents are
/// executed on it.
pub struct ExecutableSchema<Q, M, S> {
    schema: Schema<Q, M, S>,
    scalars: HashMap<String, Scalar>,
    description: Option<&'static str>,
}

impl<Q, M, S> ExecutableSchema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// Finishes the schema.
    pub fn new(builder: SchemaBuilder<Q, M, S>) -> Self {
        let builder =
            builder.validation_mode(ValidationMode::Fast).limit_recursive_depth(usize::MAX);
        Self { schema: builder.finish(), scalars: HashMap::new(), description: None }
    }

    /// Gives the schema a description: what `__schema { description }` answers.
    #[must_use]
    pub fn described(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Checks values of that custom scalar before anything is executed; otherwise its resolver
    /// meets them first.
    #[must_use]
    pub fn scalar<T: InputType>(mut self) -> Self {
        self.scalars
            .insert(T::type_name().into_owned(), |value| T::parse(Some(value.clone())).is_ok());
        self
    }
}

impl<Q, M, S> Executor for ExecutableSchema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        schema_text(&self.schema, self.description)
    }

    fn scalars(&self) -> HashMap<String, Scalar> {
        self.scalars.clone()
    }

    fn execute(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(self.schema.execute(request))
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request)
    }
}

/// Executes a query or a mutation. `request` makes what carries a document and the data of the
/// resolvers.
pub async fn execute(
    executor: &dyn Executor,
    operation: &NormalForm,
    variables: &Variables,
    request: impl Fn() -> Request,
) -> Response {
    if operation.kind == OperationType::Mutation && operation.root().len() > 1 {
        return execute_serially(executor, operation, variables, request).await;
    }
    let mut request = request();
    request.set_parsed_query(operation.document(variables));
    let Some(schema) = &operation.introspected else {
        let mut response = executor.execute(request).await;
        arrange(operation.root(), &mut response);
        return response;
    };
    let meter = request.data.get(&TypeId::of::<Arc<ResponseMeter>>());
    let meter = meter.and_then(|meter| meter.downcast_ref::<Arc<ResponseMeter>>().cloned());
    let introspection = Introspection::new(schema, variables, meter.as_deref());
    let members = introspection.members(operation.root());
    let mut response = executor.execute(request).await;
    add(members, &mut response);
    arrange(operation.root(), &mut response);
    response
}

/// Puts members beside those that were executed, unless nothing was executed.
fn add(more: IndexMap<Name, Value>, to: &mut Response) {
    if let Value::Object(members) = &mut to.data {
        members.extend(more);
    } else if to.errors.iter().all(|error| !error.path.is_empty()) {
        to.data = Value::Object(more);
    }
}

/// One field after the other, until one fails that may not be null (GraphQL, section 6.2.2).
async fn execute_serially(
    executor: &dyn Executor,
    operation: &NormalForm,
    variables: &Variables,
    request: impl Fn() -> Request,
) -> Response {
    let mut all = Response::new(Value::Null);
    let mut members = IndexMap::new();
    for field in operation.root() {
        let mut request = request();
        request.set_parsed_query(operation.root_document(field, variables));
        let mut response = executor.execute(request).await;
        arrange(std::slice::from_ref(field), &mut response);
        let lost = is_lost(&response);
        all.errors.append(&mut response.errors);
        if lost {
            return all;
        }
        if let Value::Object(own) = response.data {
            members.extend(own);
        }
    }
    all.data = Value::Object(members);
    all
}

/// Begins a subscription.
pub fn subscribe(
    executor: &dyn Executor,
    operation: Arc<NormalForm>,
    variables: &Variables,
    mut request: Request,
) -> BoxStream<'static, Response> {
    request.set_parsed_query(operation.document(variables));
    let events = executor.stream(request).map(move |mut event| {
        arrange(operation.root(), &mut event);
        event
    });
    events.boxed()
}
