//! The failures that errors of `hyper` stand for.

use std::sync::Arc;

use crate::outbound::failure::Failure;

/// `Malformed` for a response that is not HTTP, or else `ConnectionLost`.
pub(super) fn of_hyper(error: &(dyn std::error::Error + 'static)) -> Failure {
    let hyper = causes(error).find_map(|cause| cause.downcast_ref::<hyper::Error>());
    if hyper.is_some_and(|error| error.is_parse() || error.is_parse_too_large()) {
        Failure::Malformed(chain(error))
    } else {
        Failure::ConnectionLost(chain(error))
    }
}

/// An error with its causes, for the log.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> Arc<str> {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ").into()
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}
