//! Times of the server.

use crate::graph::graphql::DateTime;
use crate::integration_server::model::Moment;

/// A date of the server in RFC 3339; null if it is malformed.
pub(super) fn date(moment: Option<&Moment>) -> Option<String> {
    moment.and_then(Moment::at).map(|at| at.to_string())
}

/// A time of the server in RFC 3339; null if it is malformed.
pub(super) fn moment(moment: Option<&Moment>) -> Option<DateTime> {
    moment.and_then(Moment::at).map(DateTime)
}
