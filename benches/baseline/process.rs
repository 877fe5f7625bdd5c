//! CPU time and memory of a process, from the kernel.

use std::fs;
use std::time::Duration;

/// The CPU time that the threads of a process have used, user and system. The scheduler counts it in
/// nanoseconds, `/proc/<pid>/stat` only in hundredths of a second.
pub fn cpu(process: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
    let used = |task: fs::DirEntry| {
        // A thread that ends meanwhile takes its time along.
        let schedule = fs::read_to_string(task.path().join("schedstat")).ok()?;
        schedule.split(' ').next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks.filter_map(|task| used(task.ok()?)).sum())
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
