//! Where and how traces are exported, by the standard environment variables of OpenTelemetry.

mod lists;
mod sampler;
mod variables;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use url::Url;

use self::lists::{headers, resource};
pub use self::sampler::{RootSampler, TraceSampler};
use self::variables::Variables;
use super::SecretText;

/// The endpoint of a collector on the same machine, which the specification names as the default.
const LOCAL_ENDPOINT: &str = "http://localhost:4318";

/// The maximum of a time and of a size.
const MILLIS_MAX: u64 = 600_000;
const QUEUE_MAX: u64 = 65_536;

/// The export of traces: OTLP over HTTP, as protobuf.
#[derive(Clone, Debug)]
pub struct TraceExport {
    /// The URL that receives the spans. It has neither credentials nor a query.
    pub endpoint: Url,
    /// The headers of each request, with percent-encoded values, which are secrets.
    pub headers: Vec<(String, SecretText)>,
    /// PEM certificates of the authorities that are trusted instead of the public ones.
    pub certificate: Option<String>,
    /// Whether requests are compressed with gzip.
    pub compress: bool,
    /// How long one request may take.
    pub timeout: Duration,
    /// Selects the traces to record.
    pub sampler: TraceSampler,
    /// Attributes of this process beside the gateway's own, which they override.
    pub resource: Vec<(String, String)>,
    /// How many spans may wait; further ones are dropped.
    pub queue: usize,
    /// The most spans of one request.
    pub batch: usize,
    /// The longest that a span waits for further ones.
    pub delay: Duration,
}

impl TraceExport {
    /// Reads the variables `OTEL_*`; `None` if traces are off: no endpoint is set and the exporter
    /// is not named, or they are disabled.
    ///
    /// # Errors
    /// Each variable whose value is not valid, with the reason. No value of a header is repeated.
    pub(super) fn read(
        env: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, Vec<(String, String)>> {
        let mut variables = Variables::new(env);
        let export = variables.is_on().then(|| Self::from(&mut variables));
        variables.finish().map(|()| export)
    }

    fn from(variables: &mut Variables<'_>) -> Self {
        variables.of_signal("PROTOCOL", |protocol| match protocol {
            "http/protobuf" => Ok(()),
            _ => Err("must be http/protobuf, the one protocol that this gateway exports by".into()),
        });
        let batch_timeout = variables.millis("OTEL_BSP_EXPORT_TIMEOUT", 30_000);
        let timeout = variables.of_signal("TIMEOUT", |text| variables::number(text, 1, MILLIS_MAX));
        let timeout = Duration::from_millis(timeout.unwrap_or(10_000)).min(batch_timeout);
        let queue = variables.size("OTEL_BSP_MAX_QUEUE_SIZE", 2_048);
        let batch = variables.size("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512.min(queue));
        if batch > queue {
            variables.problem(
                "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
                format!("must not exceed OTEL_BSP_MAX_QUEUE_SIZE, which is {queue}"),
            );
        }
        Self {
            endpoint: variables.endpoint(),
            headers: variables.of_signal("HEADERS", headers).unwrap_or_default(),
            certificate: variables.of_signal("CERTIFICATE", variables::pem),
            compress: variables.of_signal("COMPRESSION", compression).unwrap_or_default(),
            timeout,
            sampler: variables.sampler(),
            resource: variables.resource(),
            queue,
            batch,
            delay: variables.millis("OTEL_BSP_SCHEDULE_DELAY", 5_000),
        }
    }
}

fn compression(text: &str) -> Result<bool, String> {
    match text {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => Err("must be gzip or none".into()),
    }
}

impl Variables<'_> {
    fn is_on(&mut self) -> bool {
        if self.get("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return false;
        }
        match self.get("OTEL_TRACES_EXPORTER") {
            None => self.has_of_signal("ENDPOINT"),
            Some("otlp") => true,
            Some("none") => false,
            Some(_) => {
                self.problem("OTEL_TRACES_EXPORTER", "must be otlp or none");
                false
            }
        }
    }

    /// The URL of the traces: as given for traces, else below the one for all signals.
    fn endpoint(&mut self) -> Url {
        let below = |base: &Url| {
            let mut url = base.clone();
            url.set_path(&format!("{}/v1/traces", base.path().trim_end_matches('/')));
            url
        };
        let of_traces = self.parsed("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", variables::url);
        let of_all = self.parsed("OTEL_EXPORTER_OTLP_ENDPOINT", variables::url);
        let local = || Url::parse(LOCAL_ENDPOINT).expect("the constant is a URL");
        of_traces.unwrap_or_else(|| below(&of_all.unwrap_or_else(local)))
    }

    fn sampler(&mut self) -> TraceSampler {
        let sampler = self.parsed("OTEL_TRACES_SAMPLER", TraceSampler::named).unwrap_or_default();
        if !sampler.has_ratio() {
            return sampler;
        }
        let ratio = self.parsed("OTEL_TRACES_SAMPLER_ARG", sampler::ratio);
        ratio.map_or(sampler, |ratio| sampler.with_ratio(ratio))
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        let given = self.parsed("OTEL_RESOURCE_ATTRIBUTES", resource).unwrap_or_default();
        let service = self.get("OTEL_SERVICE_NAME").map(str::to_owned);
        let service = service.map(|name| ("service.name".to_owned(), name));
        given.into_iter().chain(service).collect()
    }
}

impl fmt::Display for TraceExport {
    /// Without the values of headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        write!(f, "to {}, sampler {}", self.endpoint, self.sampler)?;
        if names.is_empty() { Ok(()) } else { write!(f, ", headers {}", names.join(", ")) }
    }
}

#[cfg(test)]
mod tests;
