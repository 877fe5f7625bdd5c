//! The installations of legacy systems, as this machine reaches them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::deadline::Deadline;
use super::finding::Finding;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::config::Config;
use crate::database::Database;
use crate::outbound::{AddressPolicy, BaseUrl, Reached, Unreachable, reach};
use crate::upstreams::{Upstream, registered};

/// The most installations that are checked.
const CHECKED_MAX: usize = 1000;

/// The most installations that are checked at the same time.
const AT_ONCE: usize = 16;

/// A certificate that ends within this time is reported.
const ENDS_SOON: Duration = Duration::from_hours(24 * 21);

/// Checks name, connection and certificate of each installation. Sends no request and no
/// credential.
pub(super) async fn check(
    config: &Config,
    database: &Database,
    deadline: Deadline,
) -> Vec<Finding> {
    let installations = match deadline.limit(registered(database, CHECKED_MAX as u64 + 1)).await {
        Some(Ok(installations)) => installations,
        Some(Err(error)) => {
            let advice = "see docs/runbooks/database-down.md";
            return vec![Finding::failed("upstream", error.explained(), advice)];
        }
        None => return vec![deadline.missed("upstream", "the list of installations")],
    };
    if installations.is_empty() {
        return vec![Finding::ok("upstream", "none is registered")];
    }
    let policy = AddressPolicy { allow_private: config.upstream.allow_private_addresses };
    check_all(installations, policy, deadline).await
}

async fn check_all(
    installations: Vec<Upstream>,
    policy: AddressPolicy,
    deadline: Deadline,
) -> Vec<Finding> {
    let count = installations.len();
    let now = SystemClock.now();
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut checks = JoinSet::new();
    for installation in installations.into_iter().take(CHECKED_MAX) {
        let permits = permits.clone();
        checks.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire_owned().await;
            check_one(&installation, policy, now).await
        });
    }
    let mut findings = Vec::new();
    while let Some(Some(done)) = deadline.limit(checks.join_next()).await {
        findings.extend(done);
    }
    checks.abort_all();
    findings.sort_by(|one, other| one.detail.cmp(&other.detail));
    if findings.len() < count {
        let missing = count - findings.len();
        let detail = format!("{missing} of {count} installations were not checked in time");
        let advice = "run it again with a larger --timeout; at most 1000 are checked";
        findings.push(Finding::warning("upstream", detail, advice));
    }
    findings
}

async fn check_one(installation: &Upstream, policy: AddressPolicy, now: Timestamp) -> Finding {
    let about = |text: &str| format!("{} ({}): {text}", installation.name, installation.base_url);
    let url = match BaseUrl::parse("baseURL", &installation.base_url, policy) {
        Ok(url) => url,
        Err(error) => {
            let advice = "change its base URL, or upstream.allow_private_addresses";
            return Finding::failed("upstream", about(&error.explained()), advice);
        }
    };
    match reach(&url, installation.ca_certificate.as_deref(), policy).await {
        Ok(Reached { address, certificate_end: None }) => {
            Finding::ok("upstream", about(&format!("reached at {address}, without TLS")))
        }
        Ok(Reached { address, certificate_end: Some(end) }) => {
            let detail =
                about(&format!("reached at {address}, with a certificate valid until {end}"));
            if now.plus(ENDS_SOON) < end {
                return Finding::ok("upstream", detail);
            }
            let advice = "renew the certificate of the installation before it ends";
            Finding::warning("upstream", detail, advice)
        }
        Err(Unreachable { stage, cause }) => {
            Finding::failed("upstream", about(&cause), stage.advice())
        }
    }
}
