//! Objects found by their global id alone, whatever their type.

pub mod graphql;
