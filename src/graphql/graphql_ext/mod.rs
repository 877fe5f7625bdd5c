//! Workarounds for async-graphql 7.2. Each module names the behaviour that it corrects, with the
//! upstream issue where there is one.

mod arrange;
mod executor;
mod schema_text;
mod written_json;

pub use executor::{ExecutableSchema, Executor, execute, subscribe};
pub use schema_text::schema_text;
pub use written_json::{write_json, written_json};
