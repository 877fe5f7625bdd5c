//! The limit of file descriptors, and so of sockets, of the process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard limit, and logs both: systems start services
/// with a soft limit of 1,024, fewer than a gateway needs.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::info!(
            before = current,
            limit = maximum,
            "file descriptor limit raised to the hard limit"
        ),
        Err(cause) => {
            tracing::warn!(
                limit = current,
                %cause,
                "the file descriptor limit could not be raised"
            );
        }
    }
}

/// The soft limit; `None` if there is no limit.
pub fn limit() -> Option<usize> {
    getrlimit(Resource::Nofile).current.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
