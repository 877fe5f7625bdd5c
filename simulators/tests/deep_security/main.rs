//! The simulator as an HTTP client sees it.
#![allow(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

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
