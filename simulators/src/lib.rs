//! Stateful simulators of the consoles behind the gateway, for tests, `demo` and `simulate`.
//!
//! They are written from the wire references with types of their own and share no code with the
//! gateway, so that they check its clients instead of repeating their assumptions.
//!
//! | module | contents |
//! |---|---|
//! | [`deep_security`] | Deep Security Manager |
//! | [`integration_server`] | Integration Server of Kaspersky Security for Virtualization |
//! | `host` | records each request, applies ordered faults, lets the console answer |
//! | `control` | the same functions over HTTP |
//! | [`faults`], `corrupt`, `delivery` | faults, their answers, and how answers are sent |
//! | [`calls`], [`journal`] | filters of calls, and the recorded requests |
//! | `request`, `answer`, `server` | HTTP requests, answers, and the socket |
//! | [`clock`], `random`, `wildcards` | time and randomness as parameters; text patterns |

mod answer;
pub mod calls;
pub mod clock;
mod control;
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
