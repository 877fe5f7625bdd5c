//! The program: arguments in, exit status out.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tenant_gateway::cli::run(std::env::args_os().collect())
}
