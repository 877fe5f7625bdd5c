//! The tests that talk to the real router and a real database. One binary: a module a room.
#![allow(
    clippy::unwrap_used,
    clippy::large_futures,
    clippy::float_cmp,
    clippy::too_many_lines,
    reason = "helpers of tests unwrap as tests do, futures live briefly, figures are exact"
)]

mod support;

mod architecture;
mod attacks;
mod audit;
mod budget;
mod circles;
mod clients;
mod clock;
mod commands;
mod crash;
mod database;
mod deep_security;
mod demo;
mod device;
mod doctor;
mod documentation;
mod fuzz;
mod http;
mod integration_server;
mod logs;
mod messages;
mod metrics;
mod migrations;
mod nodes;
mod oauth;
mod pages;
mod passkeys;
mod reload;
mod schema;
mod search;
mod sessions;
mod single_sign_on;
mod specification;
mod startup;
mod tenancy;
mod tenants;
mod tokens;
mod traces;
mod upstreams;
mod users;
mod words;
