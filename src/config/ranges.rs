//! Range checks with one wording for all settings.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use super::friendly_duration::text;

pub(super) fn number<T: PartialOrd + Display>(
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("must be between {} and {}", range.start(), range.end()))
}

pub(super) fn duration(value: Duration, range: RangeInclusive<Duration>) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("must be between {} and {}", text(*range.start()), text(*range.end())))
}
