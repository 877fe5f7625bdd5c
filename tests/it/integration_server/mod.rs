//! The client of the Integration Server.

mod client;
