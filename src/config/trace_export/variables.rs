//! Environment variables, with all problems collected.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use url::Url;

use super::{MILLIS_MAX, QUEUE_MAX};

/// The variables of a process. An empty one counts as not set, as the specification says.
pub(super) struct Variables<'a> {
    env: &'a BTreeMap<String, String>,
    problems: Vec<(String, String)>,
}

impl<'a> Variables<'a> {
    pub(super) fn new(env: &'a BTreeMap<String, String>) -> Self {
        Self { env, problems: Vec::new() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Parses a variable.
    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let parsed = parse(self.get(name)?);
        parsed.map_err(|message| self.problem(name, message)).ok()
    }

    /// Parses the variable for traces or, if it is not set, the one for all signals.
    pub(super) fn of_signal<T>(
        &mut self,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let name = names(what).into_iter().find(|name| self.get(name).is_some())?;
        self.parsed(&name, parse)
    }

    pub(super) fn has_of_signal(&self, what: &str) -> bool {
        names(what).iter().any(|name| self.get(name).is_some())
    }

    pub(super) fn millis(&mut self, name: &str, default: u64) -> Duration {
        let millis = self.parsed(name, |text| number(text, 1, MILLIS_MAX));
        Duration::from_millis(millis.unwrap_or(default))
    }

    pub(super) fn size(&mut self, name: &str, default: usize) -> usize {
        let size = self.parsed(name, |text| number(text, 1, QUEUE_MAX));
        size.and_then(|size| size.try_into().ok()).unwrap_or(default)
    }

    pub(super) fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push((name.to_owned(), message.into()));
    }

    /// Returns all problems, if there are any.
    pub(super) fn finish(self) -> Result<(), Vec<(String, String)>> {
        if self.problems.is_empty() { Ok(()) } else { Err(self.problems) }
    }
}

fn names(what: &str) -> [String; 2] {
    [format!("OTEL_EXPORTER_OTLP_TRACES_{what}"), format!("OTEL_EXPORTER_OTLP_{what}")]
}

/// Parses a whole number.
///
/// # Errors
/// For anything else, and for one beyond the range.
pub(super) fn number(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("must be a whole number from {min} to {max}"))
}

/// Parses the URL of a collector.
///
/// # Errors
/// The reason, without the URL, which may contain a password.
pub(super) fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    let url = url.ok_or("must be a URL such as http://localhost:4318")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "must not contain a user name or a password; set OTEL_EXPORTER_OTLP_HEADERS".into()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or a fragment".into());
    }
    Ok(url)
}

/// Reads a file of certificates. They are parsed when the exporter starts.
///
/// # Errors
/// If it cannot be read.
pub(super) fn pem(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read the file: {error}"))
}
