//! Failed authentications, buffered in memory, aggregated, and written in batches: guessing at
//! secrets must not hold up other writers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::Audit;
use super::entry::{Outcome, Refusal};
use super::record::{add, refused};
use crate::auth::RequestId;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::TenantId;

/// Beyond this many different failures, the actor is not kept.
const DISTINCT_MAX: usize = 1000;

/// Beyond this many failures, the tenant is not kept either.
const WAITING_MAX: usize = 2000;

/// Replaces actors that were not kept.
const SEVERAL: &str = "several";

/// An authentication of a client or a sign-in of a person that failed.
pub struct FailedAuthentication {
    /// The UUID of the client or user, the `client_id` of the failed authentication, or `unknown`.
    pub actor: String,
    /// The tenant of the client or user, if there is one.
    pub tenant: Option<TenantId>,
    /// The name of the endpoint.
    pub operation: &'static str,
    /// The error code of the response.
    pub code: &'static str,
    /// The reason that is not shown to the caller.
    pub reason: &'static str,
    /// The id of the request.
    pub request_id: RequestId,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    actor: String,
    tenant: Option<TenantId>,
    operation: &'static str,
    code: &'static str,
    reason: &'static str,
}

/// Failures that are alike: the first of them, and how many there are.
struct Counted {
    kind: Kind,
    at: Timestamp,
    request_id: RequestId,
    count: u64,
}

#[derive(Default)]
struct Waiting {
    /// In the order of their arrival.
    counted: Vec<Counted>,
    places: HashMap<Kind, usize>,
}

/// The failures that are not written yet.
#[derive(Default)]
pub(super) struct FailureQueue(Mutex<Waiting>);

impl Waiting {
    fn add(&mut self, new: Counted) {
        let Counted { mut kind, at, request_id, count } = new;
        if !self.places.contains_key(&kind) && self.counted.len() >= DISTINCT_MAX {
            kind.actor = SEVERAL.to_owned();
            if !self.places.contains_key(&kind) && self.counted.len() >= WAITING_MAX {
                kind.tenant = None;
            }
        }
        if let Some(place) = self.places.get(&kind) {
            self.counted[*place].count += count;
        } else {
            self.places.insert(kind.clone(), self.counted.len());
            self.counted.push(Counted { kind, at, request_id, count });
        }
    }
}

impl FailureQueue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audit {
    /// Adds a failed authentication to the next batch.
    pub fn authentication_failed(&self, failed: FailedAuthentication) {
        let FailedAuthentication { actor, tenant, operation, code, reason, request_id } = failed;
        let kind = Kind { actor, tenant, operation, code, reason };
        self.failures.lock().add(Counted { kind, at: self.clock.now(), request_id, count: 1 });
    }

    /// Whether there are failed authentications to write.
    pub fn has_failures(&self) -> bool {
        !self.failures.lock().counted.is_empty()
    }

    /// Writes the failed authentications that wait, in one transaction; those of unknown clients
    /// into the log of the tenant at the `top`. If that fails, each tenant has a transaction of its
    /// own, so that a log that takes no record keeps nothing from the others. Failures that cannot
    /// be written stay in the queue.
    ///
    /// # Errors
    /// If the database refuses, the first of its errors.
    pub async fn write_failures(&self, top: Option<TenantId>) -> Result<()> {
        let mut batch = std::mem::take(&mut *self.failures.lock()).counted;
        let all: Vec<_> = batch.iter().collect();
        let Err(error) = self.write_batch(&all, top).await else { return Ok(()) };
        let mut parts: HashMap<Option<TenantId>, Vec<&Counted>> = HashMap::new();
        for counted in &batch {
            parts.entry(counted.kind.tenant.or(top)).or_default().push(counted);
        }
        let mut is_hopeless = parts.len() < 2 || is_unavailable(&error);
        let mut unwritten = HashSet::new();
        for (tenant, part) in parts {
            let written =
                if is_hopeless { Err(error.clone()) } else { self.write_batch(&part, top).await };
            if let Err(error) = written {
                is_hopeless |= is_unavailable(&error);
                unwritten.insert(tenant);
            }
        }
        batch.retain(|counted| unwritten.contains(&counted.kind.tenant.or(top)));
        self.wait_again(batch);
        Err(error)
    }

    async fn write_batch(&self, batch: &[&Counted], top: Option<TenantId>) -> Result<()> {
        let records = batch.iter().filter_map(|counted| {
            let refusal = counted.refusal(counted.kind.tenant.or(top)?);
            Some(refused(&*self.entropy, counted.at, refusal))
        });
        let records: Vec<_> = records.collect();
        let work = async |write: Arc<Write<'_>>| add(write.on(), records.clone()).await;
        self.database.transaction(work).await
    }

    /// Puts failures before those that came meanwhile.
    fn wait_again(&self, failures: Vec<Counted>) {
        let mut waiting = self.failures.lock();
        let newer = std::mem::take(&mut *waiting).counted;
        failures.into_iter().chain(newer).for_each(|counted| waiting.add(counted));
    }
}

/// Whether the database takes no other record either.
fn is_unavailable(error: &Error) -> bool {
    error.code() == ErrorCode::DatabaseUnavailable
}

impl Counted {
    fn refusal(&self, tenant: TenantId) -> Refusal {
        Refusal {
            actor: self.kind.actor.clone(),
            acting_tenant: self.kind.tenant,
            tenant,
            operation: self.kind.operation.to_owned(),
            subject: None,
            outcome: Outcome::Refused,
            code: self.kind.code,
            reason: Some(self.kind.reason),
            count: self.count,
            request_id: self.request_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use crate::ids::random_uuid;

    fn failed(actor: &str, tenant: Option<TenantId>) -> Counted {
        let kind = Kind {
            actor: actor.to_owned(),
            tenant,
            operation: "token",
            code: "invalid_client",
            reason: "unknown_client",
        };
        let request_id = RequestId::from(random_uuid(&SystemEntropy));
        Counted { kind, at: Timestamp::from_millis(0), request_id, count: 1 }
    }

    #[test]
    fn failures_alike_are_counted_together() {
        let mut waiting = Waiting::default();
        (0..5).for_each(|_| waiting.add(failed("guessed", None)));
        waiting.add(failed("another", None));
        let counts: Vec<_> =
            waiting.counted.iter().map(|counted| (&*counted.kind.actor, counted.count)).collect();
        assert_eq!(counts, [("guessed", 5), ("another", 1)]);
    }

    #[test]
    fn queue_stays_bounded_and_loses_no_failure() {
        let mut waiting = Waiting::default();
        (0..20_000).for_each(|number| waiting.add(failed(&format!("guess {number}"), None)));
        for number in 0..20_000 {
            let tenant = TenantId::random(&SystemEntropy);
            waiting.add(failed(&format!("client {number}"), Some(tenant)));
        }
        assert!(waiting.counted.len() <= WAITING_MAX + 1, "{}", waiting.counted.len());
        assert_eq!(waiting.counted.iter().map(|counted| counted.count).sum::<u64>(), 40_000);
    }
}
