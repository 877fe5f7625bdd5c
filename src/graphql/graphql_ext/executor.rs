//! Executes a normal form.
//!
//! async-graphql merges fields with equal response keys by their position in the response, replaces
//! an absent variable in an input object with null (async-graphql issue 169), and ignores fragments
//! at the root of a subscription. A normal form contains none of these. After a non-null field of a
//! mutation has failed it executes the next one; here each of several root fields is executed on
//! its own. Its introspection is replaced by `introspection`.

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

/// An executable schema, without its type parameters. Executes only validated documents.
pub trait Executor: Send + Sync {
    /// The schema in the schema definition language.
    fn sdl(&self) -> String;

    /// The validation functions of its custom scalars, by name.
    fn scalars(&self) -> HashMap<String, Scalar>;

    /// Executes a query or a mutation.
    fn execute(&self, request: Request) -> BoxFuture<'_, Response>;

    /// Executes a subscription.
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
}

/// An async-graphql schema without validation: it executes only normal forms of valid documents.
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
    /// Builds the schema.
    pub fn new(builder: SchemaBuilder<Q, M, S>) -> Self {
        let builder =
            builder.validation_mode(ValidationMode::Fast).limit_recursive_depth(usize::MAX);
        Self { schema: builder.finish(), scalars: HashMap::new(), description: None }
    }

    /// Sets the description of the schema.
    #[must_use]
    pub fn described(self, description: &'static str) -> Self {
        Self { description: Some(description), ..self }
    }

    /// Validates values of a custom scalar before execution; otherwise only its resolver does.
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

/// Executes a query or a mutation. `request` creates a request with the data of the resolvers.
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

/// Adds members to the response, unless execution did not begin.
fn add(more: IndexMap<Name, Value>, to: &mut Response) {
    if let Value::Object(members) = &mut to.data {
        members.extend(more);
    } else if to.errors.iter().all(|error| !error.path.is_empty()) {
        to.data = Value::Object(more);
    }
}

/// Executes root fields one after the other, until a non-null field fails (GraphQL, section 6.2.2).
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

/// Starts a subscription.
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
