//! Access tokens: the token endpoint, claims, verification, several nodes.

mod claims;
mod endpoint;
mod forgery;
mod nodes;
