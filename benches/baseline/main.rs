//! The cost of the gateway relative to the least possible implementations: `cargo bench --bench
//! baseline`. Prints ratios, and fails if one exceeds its target. CPU time is the user and system
//! time of the measured process; both sides of a ratio run interleaved, so that a busy machine
//! affects both equally. Arguments select parts: `cargo bench --bench baseline -- token`.
#![allow(clippy::print_stdout, reason = "its report")]
#![allow(clippy::float_cmp, reason = "numbers of calls are whole")]
#![allow(clippy::unused_self, reason = "the report decides where its figures go")]
#![allow(clippy::disallowed_methods, reason = "benchmarks may measure")]

mod bare;
mod computers;
mod gateway;
mod load;
mod memory;
mod neighbour;
mod pages;
mod process;
mod recorded;
mod report;
mod resolver;
mod search;
mod start;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod token;
mod upstream;
mod verify;

use std::process::ExitCode;

use report::Report;

type Part = fn(&mut Report);

fn main() -> ExitCode {
    if let Some(known) = bare::role() {
        return bare::serve(&known);
    }
    if let Some(manager) = resolver::role() {
        return resolver::serve(&manager);
    }
    let chosen: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut report = Report::default();
    let parts: [(&str, Part); 8] = [
        ("token", token::run),
        ("verify", verify::run),
        ("start", start::run),
        ("search", search::run),
        ("pages", pages::run),
        ("computers", computers::run),
        ("memory", memory::run),
        ("neighbour", neighbour::run),
    ];
    for (name, part) in parts {
        if chosen.is_empty() || chosen.iter().any(|chosen| chosen == name) {
            part(&mut report);
        }
    }
    report.end()
}
