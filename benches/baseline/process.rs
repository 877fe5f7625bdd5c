//! CPU time and memory of a process, from the kernel.

use std::fs;
use std::time::Duration;

/// The kernel counts in hundredths of a second for every architecture that runs here.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time that a process has used: user and system, all threads.
pub fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    // The program's name may contain anything; the state follows the last parenthesis.
    let fields = stat.rsplit_once(')').expect("a name in parentheses").1;
    let times = fields.split_whitespace().skip(11).take(2);
    TICK * times.map(|ticks| ticks.parse::<u32>().expect("a number")).sum::<u32>()
}

/// The resident memory of a process, in KiB.
pub fn resident(process: u32) -> u64 {
    status(process, "VmRSS:")
}

/// The peak resident memory.
pub fn peak(process: u32) -> u64 {
    status(process, "VmHWM:")
}

fn status(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line =
        status.lines().find_map(|line| line.strip_prefix(name)).expect("every process has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}
