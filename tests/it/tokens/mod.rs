//! Access tokens: how they are asked for, what they say, which are believed, and where.

mod claims;
mod endpoint;
mod forgery;
mod nodes;
