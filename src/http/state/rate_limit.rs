//! Rate limits of clients and tenants: token buckets in the memory of this node.
//!
//! Not `governor`: its keyed stores grow until `retain_recent` is called, and it always refuses a
//! batch above the burst, which passes here and leaves a debt.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::config::RateLimitConfig;
use crate::ids::{SubjectId, TenantId};

/// The tokens of a bucket at one moment.
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// The buckets of all clients, or those of all tenants.
struct Buckets<K> {
    name: &'static str,
    rate: ArcSwap<Rate>,
    buckets: Cache<K, Arc<Mutex<Bucket>>>,
}

/// How fast a bucket fills, and how much it holds. A rate of 0 sets no limit.
struct Rate {
    per_second: f64,
    burst: f64,
}

/// The remaining quota of one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    name: &'static str,
    burst: u64,
    per_second: u64,
    remaining: u64,
}

/// The remaining quotas of a client and of the tenant in context.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// The quota of the client; absent if not limited.
    pub of_client: Option<Quota>,
    /// The quota of the tenant; absent if not limited.
    pub of_tenant: Option<Quota>,
}

/// A client or tenant has sent too many operations.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit of this {} exceeded; retry after {retry_after} s", .quota.name)]
pub struct RateLimitExceeded {
    /// The exhausted quota.
    pub quota: Quota,
    /// Seconds until a retry can succeed; at least 1.
    pub retry_after: u64,
}

/// The limits of this node: a bucket for each client and user, and one for each tenant in context.
pub struct RateLimits {
    subjects: Buckets<SubjectId>,
    tenants: Buckets<TenantId>,
}

impl RateLimits {
    /// The limits of the settings.
    pub fn new(config: &RateLimitConfig) -> Self {
        Self {
            subjects: Buckets::new("client", Rate::of_client(config), config.capacity),
            tenants: Buckets::new("tenant", Rate::of_tenant(config), config.capacity),
        }
    }

    /// Puts other rates and bursts into force; what was counted stays counted.
    pub fn reload(&self, config: &RateLimitConfig) {
        self.subjects.rate.store(Arc::new(Rate::of_client(config)));
        self.tenants.rate.store(Arc::new(Rate::of_tenant(config)));
    }

    /// Counts operations of a client or user.
    ///
    /// # Errors
    /// If the bucket has too few tokens; the operations are not counted then.
    pub fn take_subject(
        &self,
        subject: SubjectId,
        operations: u32,
    ) -> Result<Option<Quota>, RateLimitExceeded> {
        self.subjects.take(subject, operations, Instant::now())
    }

    /// Counts operations in a tenant.
    ///
    /// # Errors
    /// If the bucket has too few tokens; the operations are not counted then.
    pub fn take_tenant(
        &self,
        tenant: TenantId,
        operations: u32,
    ) -> Result<Option<Quota>, RateLimitExceeded> {
        self.tenants.take(tenant, operations, Instant::now())
    }
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    fn new(name: &'static str, rate: Rate, capacity: usize) -> Self {
        Self { name, rate: ArcSwap::from_pointee(rate), buckets: Cache::new(capacity) }
    }

    /// Uses the monotonic clock: a wall clock set back would keep a bucket empty.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "all are small and not negative"
    )]
    fn take(
        &self,
        key: K,
        operations: u32,
        now: Instant,
    ) -> Result<Option<Quota>, RateLimitExceeded> {
        let Rate { per_second, burst } = **self.rate.load();
        if per_second == 0.0 {
            return Ok(None);
        }
        let full = || {
            let bucket = Bucket { tokens: burst, at: now };
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(bucket)))
        };
        let Ok(bucket) = self.buckets.get_or_insert_with(&key, full);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * per_second).min(burst);
        bucket.at = now;
        // A request larger than the burst passes when the bucket is full, and leaves a debt.
        let needed = f64::from(operations);
        let quota = |tokens: f64| Quota {
            name: self.name,
            burst: burst as u64,
            per_second: per_second as u64,
            remaining: tokens.max(0.0) as u64,
        };
        let missing = needed.min(burst) - bucket.tokens;
        if missing > 0.0 {
            let retry_after = ((missing / per_second).ceil() as u64).max(1);
            return Err(RateLimitExceeded { quota: quota(bucket.tokens), retry_after });
        }
        bucket.tokens -= needed;
        Ok(Some(quota(bucket.tokens)))
    }
}

impl Rate {
    fn of_client(config: &RateLimitConfig) -> Self {
        Self {
            per_second: f64::from(config.client_per_second),
            burst: f64::from(config.client_burst),
        }
    }

    fn of_tenant(config: &RateLimitConfig) -> Self {
        Self {
            per_second: f64::from(config.tenant_per_second),
            burst: f64::from(config.tenant_burst),
        }
    }
}

impl RateLimitExceeded {
    /// The quotas to report with the refusal.
    pub fn quotas(&self) -> Quotas {
        Quotas { of_client: Some(self.quota), of_tenant: None }
    }
}

impl Quotas {
    /// Writes `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn write(self, headers: &mut HeaderMap) {
        let quotas: Vec<_> = [self.of_client, self.of_tenant].into_iter().flatten().collect();
        if quotas.is_empty() {
            return;
        }
        // The window is the time that an empty bucket takes to fill.
        let window = |quota: &Quota| quota.burst.div_ceil(quota.per_second).max(1);
        let policy = quotas
            .iter()
            .map(|quota| format!("\"{}\";q={};w={}", quota.name, quota.burst, window(quota)));
        let left = quotas.iter().map(|quota| {
            let full_in = (quota.burst - quota.remaining).div_ceil(quota.per_second);
            format!("\"{}\";r={};t={full_in}", quota.name, quota.remaining)
        });
        let lines = [
            ("ratelimit-policy", policy.collect::<Vec<_>>().join(", ")),
            ("ratelimit", left.collect::<Vec<_>>().join(", ")),
        ];
        for (name, line) in lines {
            if let Ok(value) = HeaderValue::from_str(&line) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate { per_second: f64::from(per_second), burst: f64::from(burst) }
    }

    fn buckets(per_second: u32, burst: u32) -> Buckets<u8> {
        Buckets::new("client", rate(per_second, burst), 100)
    }

    #[tokio::test]
    async fn burst_passes_and_then_the_rate_applies() {
        let buckets = buckets(10, 3);
        let start = Instant::now();
        let left: Vec<_> =
            (0..3).map(|_| buckets.take(1, 1, start).unwrap().unwrap().remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        assert_eq!(buckets.take(1, 1, start).unwrap_err().retry_after, 1);
        let later = start + Duration::from_millis(100);
        assert!(buckets.take(1, 1, later).is_ok() && buckets.take(1, 1, later).is_err());
        assert!(buckets.take(2, 1, start).is_ok(), "each key has a bucket of its own");
    }

    #[tokio::test]
    async fn retry_after_is_whole_seconds_and_sufficient() {
        let buckets = buckets(1, 10);
        let start = Instant::now();
        assert!(buckets.take(1, 10, start).is_ok());
        let wait = buckets.take(1, 7, start).unwrap_err().retry_after;
        assert_eq!(wait, 7);
        assert!(buckets.take(1, 7, start + Duration::from_secs(wait)).is_ok());
    }

    #[tokio::test]
    async fn request_above_the_burst_needs_a_full_bucket_and_leaves_a_debt() {
        let buckets = buckets(1, 2);
        let start = Instant::now();
        assert!(buckets.take(1, 5, start).is_ok());
        assert_eq!(buckets.take(1, 1, start).unwrap_err().retry_after, 4);
    }

    #[test]
    fn zero_rate_means_no_limit() {
        assert_eq!(buckets(0, 1).take(1, 1000, Instant::now()), Ok(None));
    }

    #[tokio::test]
    async fn reloaded_rate_applies_to_a_bucket_in_use() {
        let buckets = buckets(10, 5);
        let start = Instant::now();
        assert_eq!(buckets.take(1, 1, start).unwrap().unwrap().remaining, 4);
        buckets.rate.store(Arc::new(rate(1, 2)));
        assert_eq!(buckets.take(1, 1, start).unwrap().unwrap().remaining, 1);
        buckets.rate.store(Arc::new(rate(1, 10)));
        assert_eq!(buckets.take(1, 1, start).unwrap().unwrap().remaining, 0);
        assert_eq!(buckets.take(1, 1, start).unwrap_err().retry_after, 1);
    }

    #[test]
    fn headers_name_both_quotas() {
        let quota = |name, remaining| Some(Quota { name, burst: 500, per_second: 100, remaining });
        let mut headers = HeaderMap::new();
        Quotas { of_client: quota("client", 499), of_tenant: quota("tenant", 0) }
            .write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], r#""client";q=500;w=5, "tenant";q=500;w=5"#);
        assert_eq!(headers["ratelimit"], r#""client";r=499;t=1, "tenant";r=0;t=5"#);
    }
}
