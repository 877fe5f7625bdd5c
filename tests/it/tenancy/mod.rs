//! Authorization of every field of the schema: without a token, with every role, and against
//! another tenant's objects.

mod alike;
mod headers;
mod integration_server;
pub mod table;
mod walk;
