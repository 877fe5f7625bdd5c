//! Stateful stand-ins for the consoles behind the gateway, for tests, `demo` and `simulate`.
//!
//! They are written from the wire references with types of their own and share nothing with the
//! gateway, so that they check its clients instead of echoing them.
//!
//! | room | what it holds |
//! |---|---|
//! | [`deep_security`] | Deep Security Manager: primary and tenants, keys, roles, computers, policies |
//! | [`integration_server`] | Integration Server of Kaspersky Security for Virtualization: tenants, machines, tasks, reports |
//! | [`calls`], [`faults`], [`journal`] | what a test orders and what it counts, for every console alike |
//! | [`clock`], `random` | time and randomness as parameters |
//! | `request`, `host`, `answer`, `corrupt`, `delivery`, `server` | from a socket to a console and back, whole or spoilt |

mod answer;
pub mod calls;
pub mod clock;
mod corrupt;
pub mod deep_security;
mod delivery;
pub mod faults;
mod host;
pub mod integration_server;
pub mod journal;
mod random;
mod request;
mod server;
mod wildcards;
