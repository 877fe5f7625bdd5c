//! The recorded requests.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use crate::calls::Calls;
use crate::request::Request;

/// One request, as it arrived.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// Its number, from 1.
    pub number: u64,
    /// When it arrived, by the simulator's clock.
    pub at: i64,
    /// The method.
    pub method: String,
    /// The path below the base URL.
    pub path: String,
    /// Without the question mark; empty if there was none.
    pub query: String,
    /// The headers in order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
    /// The tenant, by the credential where tenants have credentials, valid or not.
    pub tenant: Option<String>,
    /// The status of the answer; absent before it, and if the connection was reset.
    pub status: Option<u16>,
}

impl RecordedRequest {
    /// The value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// The latest requests in full, and counts of all.
#[derive(Default)]
pub(crate) struct Journal {
    total: u64,
    latest: VecDeque<RecordedRequest>,
    counts: HashMap<(String, String, Option<String>), u64>,
    in_flight: HashMap<Option<String>, usize>,
    peak: Peak,
}

/// The peak of concurrent requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// The number of requests.
    pub requests: usize,
    /// The number of tenants with at least one request.
    pub tenants: usize,
}

impl Journal {
    /// How many requests are kept in full.
    const KEPT: usize = 10_000;

    /// Records the start of a request and returns its number.
    pub fn enter(&mut self, request: &Request, tenant: Option<String>, at: i64) -> u64 {
        self.total += 1;
        *self
            .counts
            .entry((request.method.clone(), request.path.clone(), tenant.clone()))
            .or_default() += 1;
        *self.in_flight.entry(tenant.clone()).or_default() += 1;
        self.peak.requests = self.peak.requests.max(self.in_flight.values().sum());
        self.peak.tenants = self.peak.tenants.max(self.in_flight.len());
        if self.latest.len() == Self::KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(seen(self.total, request, tenant, at));
        self.total
    }

    /// Records the end of a request: its status, or none if the connection ended without an answer.
    pub fn leave(&mut self, number: u64, tenant: &Option<String>, status: Option<u16>) {
        if let Some(count) = self.in_flight.get_mut(tenant) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(tenant);
            }
        }
        if let Some(seen) = self.latest.iter_mut().rev().find(|seen| seen.number == number) {
            seen.status = status;
        }
    }

    pub fn count(&self, calls: &Calls) -> u64 {
        let among = |(method, path, tenant): &(String, String, Option<String>)| {
            calls.include(method, path, tenant.as_deref())
        };
        self.counts.iter().filter(|(call, _)| among(call)).map(|(_, count)| count).sum()
    }

    pub fn seen(&self, calls: &Calls) -> Vec<RecordedRequest> {
        let among = |seen: &&RecordedRequest| {
            calls.include(&seen.method, &seen.path, seen.tenant.as_deref())
        };
        self.latest.iter().filter(among).cloned().collect()
    }

    pub fn peak(&self) -> Peak {
        self.peak
    }

    /// Clears the finished requests; numbering continues.
    pub fn clear(&mut self) {
        self.latest.clear();
        self.counts.clear();
        self.peak = Peak { requests: self.in_flight.values().sum(), tenants: self.in_flight.len() };
    }
}

fn seen(number: u64, request: &Request, tenant: Option<String>, at: i64) -> RecordedRequest {
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    RecordedRequest {
        number,
        at,
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.headers.iter().map(header).collect(),
        body: String::from_utf8_lossy(&request.body).into_owned(),
        tenant,
        status: None,
    }
}
