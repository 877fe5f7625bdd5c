//! The GraphQL specification on documents, variables and responses.

mod answers;
mod validation;
mod variables;
