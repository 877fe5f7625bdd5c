//! The simulator as an HTTP client sees it.

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
