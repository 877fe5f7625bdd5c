//! The tenant tree: ancestors, inheritance, disabled tenants.

mod closing;
mod large_forest;
mod lists;
mod tree;
