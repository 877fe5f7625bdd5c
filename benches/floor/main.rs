//! What a gateway costs beyond what it cannot avoid: `cargo bench --bench floor`. Says ratios, and
//! fails where one misses its aim. CPU time is that of the process measured, user and system; what
//! is compared takes turns, so that a busy machine troubles both alike. Arguments choose parts:
//! `cargo bench --bench floor -- token`.
#![allow(clippy::print_stdout, reason = "its report")]
#![allow(clippy::disallowed_methods, reason = "benchmarks may measure")]

mod bare;
mod computers;
mod far_side;
mod gateway;
mod load;
mod memory;
mod neighbour;
mod process;
mod report;
mod resolver;
mod search;
mod start;
#[allow(dead_code, reason = "each benchmark uses its part")]
#[path = "../support/mod.rs"]
mod support;
mod token;
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
    let parts: [(&str, Part); 7] = [
        ("token", token::run),
        ("verify", verify::run),
        ("start", start::run),
        ("search", search::run),
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
