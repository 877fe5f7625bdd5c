//! The simulator as an HTTP client sees it.

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
