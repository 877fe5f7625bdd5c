//! Clients: secrets, life cycle, roles and search.

mod administrators;
mod authority;
mod busy;
mod deep_pages;
mod expiry;
mod grants;
mod idempotency;
mod input;
mod lifecycle;
mod long_lists;
mod quotas;
mod search;
mod secrets;
mod subject;
mod takeover;
mod twins;
