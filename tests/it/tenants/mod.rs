//! The tenant tree: ancestors, inheritance, disabled tenants.

mod closing;
mod lists;
mod tree;
