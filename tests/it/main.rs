//! The tests that talk to the real router and a real database. One binary: a module a room.

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
mod passkeys;
mod reload;
mod schema;
mod search;
mod single_sign_on;
mod specification;
mod startup;
mod tenancy;
mod tenants;
mod tokens;
mod upstreams;
mod users;
mod words;
