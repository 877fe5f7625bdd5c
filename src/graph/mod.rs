//! Building blocks of the `graphql` modules: scalars, references and pages.

pub mod graphql;
