//! What works around async-graphql 7.2: each part says which behaviour it mends.

mod arrange;
mod executor;

pub use executor::{ExecutableSchema, Executor, execute, subscribe};
