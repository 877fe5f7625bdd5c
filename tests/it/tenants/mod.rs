//! The tree of tenants: who stands where, what is inherited, what is closed.

mod closing;
mod lists;
mod tree;
