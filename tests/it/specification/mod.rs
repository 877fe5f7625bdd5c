//! What the GraphQL specification says of documents, variables and answers.

mod answers;
mod validation;
mod variables;
