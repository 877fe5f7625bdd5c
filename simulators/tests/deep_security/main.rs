//! The simulator seen by a client over HTTP.

mod api_keys;
mod computers;
mod control;
mod dialects;
mod faults;
mod limits;
mod policies;
mod roles;
mod sessions;
mod support;
mod tenants;
