//! Budgets of a node: a caller over its share is refused, without effect on its neighbours.

mod batches;
mod descriptors;
pub mod responses;
pub mod streams;
