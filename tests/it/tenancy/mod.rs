//! Who may ask what, where: every field of the schema as nobody, as every role, and at another
//! tenant's things.

mod alike;
mod headers;
mod integration_server;
pub mod table;
mod walk;
