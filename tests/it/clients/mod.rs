//! Clients: their secrets, their lives, their roles, and how they are found.

mod expiry;
mod grants;
mod idempotency;
mod input;
mod lifecycle;
mod search;
mod secrets;
mod takeover;
mod twins;
