//! What documents are executed on.

use async_graphql::{
    ObjectType, Request as Operation, Response as Outcome, Schema, SchemaBuilder, SubscriptionType, ValidationMode,
};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use super::metering::Metering;

/// A schema of any shape, so that the door does not depend on which roots it has.
pub trait Graph: Send + Sync {
    /// Its text.
    fn sdl(&self) -> String;

    /// Executes a query or a mutation, if its document is valid.
    fn execute(&self, operation: Operation) -> BoxFuture<'_, Outcome>;

    /// Executes a query or a mutation whose document has no variables, does not ask about the schema, and was found valid before.
    fn execute_valid(&self, operation: Operation) -> BoxFuture<'_, Outcome> {
        self.execute(operation)
    }

    /// Executes a subscription.
    fn stream(&self, operation: Operation) -> BoxStream<'static, Outcome>;
}

impl<Q, M, S> Graph for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        Self::sdl(self)
    }

    fn execute(&self, operation: Operation) -> BoxFuture<'_, Outcome> {
        Box::pin(Self::execute(self, operation))
    }

    fn stream(&self, operation: Operation) -> BoxStream<'static, Outcome> {
        self.execute_stream(operation)
    }
}

/// A schema that does not judge again what it found valid: a sixth of what a query for one object of a legacy system costs.
pub struct Judged<Q, M, S> {
    strict: Schema<Q, M, S>,
    fast: Schema<Q, M, S>,
}

impl<Q, M, S> Judged<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    /// Over what builds the schema; it is built twice, since a schema of the library judges always or never.
    pub fn new(build: impl Fn() -> SchemaBuilder<Q, M, S>) -> Self {
        // Without federation the library looks through all types, for each field at the top, whether there is something federated.
        let fast = build().extension(Metering).validation_mode(ValidationMode::Fast).enable_federation();
        Self { strict: build().extension(Metering).finish(), fast: fast.finish() }
    }
}

impl<Q, M, S> Graph for Judged<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn sdl(&self) -> String {
        Schema::sdl(&self.strict)
    }

    fn execute(&self, operation: Operation) -> BoxFuture<'_, Outcome> {
        Graph::execute(&self.strict, operation)
    }

    fn execute_valid(&self, operation: Operation) -> BoxFuture<'_, Outcome> {
        Graph::execute(&self.fast, operation)
    }

    fn stream(&self, operation: Operation) -> BoxStream<'static, Outcome> {
        Graph::stream(&self.strict, operation)
    }
}
