//! The simulator as an HTTP client sees it.
#![allow(clippy::unwrap_used, reason = "helpers of tests unwrap as tests do")]

mod access;
mod activation;
mod control;
mod creation;
mod deletion;
mod dialects;
mod faults;
mod machines;
mod reports;
mod support;
mod tasks;
mod tenants;
