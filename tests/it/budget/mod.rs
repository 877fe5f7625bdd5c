//! What a node may hold and do at once: a caller over its share is refused, and a neighbour does
//! not feel it.

mod batches;
mod descriptors;
pub mod responses;
pub mod streams;
