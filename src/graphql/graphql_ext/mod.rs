//! What works around async-graphql 7.2: each part says which behaviour it mends.

mod arrange;
mod executor;
mod schema_text;

pub use executor::{ExecutableSchema, Executor, execute, subscribe};
pub use schema_text::schema_text;
