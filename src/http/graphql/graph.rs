//! What documents are executed on.

use async_graphql::{ObjectType, Request as Operation, Response as Outcome, Schema, SubscriptionType};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// A schema of any shape, so that the door does not depend on which roots it has.
pub trait Graph: Send + Sync {
    /// Its text.
    fn sdl(&self) -> String;

    /// Executes a query or a mutation.
    fn execute(&self, operation: Operation) -> BoxFuture<'_, Outcome>;

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
