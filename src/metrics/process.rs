//! The figures of the process, as Linux tells them in `/proc` (proc(5)).

use std::fs;

/// How many ticks a second has in `/proc`: 100 on every architecture of Linux.
const TICKS: f64 = 100.0;

/// Resources that the process uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Processor time of user and system, in seconds.
    pub cpu_seconds: f64,
    /// Resident memory in bytes.
    pub resident_bytes: u64,
    /// Open files.
    pub open_files: u64,
    /// The most files that may be open.
    pub open_files_max: u64,
}

impl Process {
    /// The figures of this process at this moment; none on a system without `/proc`.
    pub fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The second field, the name of the program in parentheses, may contain spaces and
        // parentheses itself.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let limits = fs::read_to_string("/proc/self/limits").ok()?;
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / TICKS,
            resident_bytes: number_after(&status, "VmRSS:")? * 1024,
            open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            open_files_max: number_after(&limits, "Max open files")?,
        })
    }
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_that_runs_uses_memory_and_files() {
        let process = Process::now().expect("Linux has /proc");
        assert!(process.resident_bytes > 1_000_000, "{process:?}");
        assert!(process.open_files >= 3 && process.open_files <= process.open_files_max);
    }
}
