//! What the `graphql` files of all rooms share: scalars, references and pages.

pub mod graphql;
