//! The program: arguments in, exit status out.

use std::process::ExitCode;
use std::time::Duration;

use mimalloc::MiMalloc;
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long the end of the program waits for calls that block a thread, such as the resolution of a
/// name after the wait for it timed out.
const BLOCKED_MAX: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("threads can be started");
    let status = runtime.block_on(tenant_gateway::cli::run(std::env::args_os()));
    runtime.shutdown_timeout(BLOCKED_MAX);
    status
}
