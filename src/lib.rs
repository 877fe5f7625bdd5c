//! Tenant Gateway: one GraphQL endpoint over many security consoles; the tenant is chosen per
//! request.
//!
//! The modules, each of which imports only from those before it:
//!
//! * [`ids`], [`global_id`], [`secret`], [`clock`], [`entropy`], [`names`], [`paging`],
//!   [`source_networks`], [`error`]: types that all modules use.
//! * [`config`], [`telemetry`], [`seal`], [`database`], [`database_time`]: the ground of a process.
//! * [`budget`]: what a node may hold and do at once, shared out by tenant and client.
//! * [`graphql`]: the rules of the specification: validation, coercion, the normal form that is
//!   executed.
//! * [`outbound`]: the one way out to the legacy systems.
//! * [`tokens`]: access tokens and the keys that sign them.
//! * [`graph`]: scalars, references and pages that the modules' `graphql` files share.
//! * [`roles`], [`auth`]: what a role permits; who calls, in which tenant, with which rights.
//! * [`audit`], [`tenants`], [`clients`], [`users`], [`upstreams`]: the managed objects.
//! * [`sessions`], [`device_authorization`]: people who have signed in, and the programs that they
//!   approve.
//! * [`deep_security`]: Deep Security and Workload Security, and the keys with which the gateway
//!   works there.
//! * [`integration_server`]: Kaspersky Integration Server, as a client of it sees it.
//! * [`nodes`]: objects found by their global id alone.
//! * [`single_sign_on`], [`passkeys`]: sign-in at the identity provider of a tenant, and by Web
//!   Authentication.
//! * [`schema`]: the graph, merged from the rooms' `graphql` files.
//! * [`http`]: the endpoints. [`app`]: puts everything together. [`cli`]: the command line.

pub mod app;
pub mod audit;
pub mod auth;
pub mod budget;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod database;
pub mod database_time;
pub mod deep_security;
pub mod device_authorization;
mod eager_repoll;
pub mod entropy;
pub mod error;
pub mod global_id;
pub mod graph;
pub mod graphql;
pub mod http;
pub mod ids;
pub mod integration_server;
pub mod metrics;
pub mod names;
pub mod nodes;
pub mod outbound;
pub mod paging;
pub mod passkeys;
pub mod patch;
pub mod projection;
pub mod roles;
pub mod schema;
pub mod seal;
pub mod secret;
pub mod sessions;
pub mod single_sign_on;
pub mod source_networks;
pub mod telemetry;
pub mod tenants;
pub mod tokens;
pub mod upstreams;
pub mod users;
