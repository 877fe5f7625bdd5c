//! Cached answers, kept only as long as their call allows.

use std::time::Duration;

use bytes::Bytes;
use quick_cache::sync::{Cache as Entries, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::read_key::ReadKey;
use crate::outbound::call::Answer;
use crate::outbound::readings::Readings;

/// The memory of an entry besides its body, in bytes.
const OVERHEAD: usize = 512;

/// Answers by read key. A write changes the tenant's keys, so entries from before it are not found.
pub(in crate::outbound) struct Cache(Option<Entries<ReadKey, CachedAnswer, Weight>>);

#[derive(Clone)]
struct CachedAnswer {
    answer: Answer,
    until: Instant,
}

#[derive(Clone)]
struct Weight;

impl Weighter<ReadKey, CachedAnswer> for Weight {
    fn weight(&self, _: &ReadKey, cached: &CachedAnswer) -> u64 {
        let answer = &cached.answer;
        let texts = answer.cookies.iter().chain(&answer.content_type).chain(&answer.location);
        (answer.body.len() + texts.map(String::len).sum::<usize>() + OVERHEAD) as u64
    }
}

impl Cache {
    /// A cache of at most this many bytes; 0 disables it.
    pub(in crate::outbound) fn new(bytes: usize) -> Self {
        Self((bytes > 0).then(|| {
            let mut options = OptionsBuilder::new();
            options.estimated_items_capacity((bytes / 8192).max(16)).weight_capacity(bytes as u64);
            // One shard: an entry larger than a shard is never kept, and a long list would be
            // larger than one of many shards.
            let options = options.shards(1).build().expect("both capacities are given");
            Entries::with_options(
                options,
                Weight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            )
        }))
    }

    /// The cached answer, if it has not expired.
    pub(in crate::outbound) fn get(&self, key: &ReadKey) -> Option<Answer> {
        let found = self.0.as_ref()?.get(key)?;
        // Nothing weighs what is read from an entry, so its readings are not kept with it.
        let answer = Answer { readings: Readings::default(), ..found.answer };
        (found.until > Instant::now()).then_some(answer)
    }

    /// Caches an answer of status 200.
    pub(in crate::outbound) fn put(&self, key: ReadKey, answer: &Answer, ttl: Duration) {
        let Some(entries) = self.0.as_ref().filter(|_| answer.status == 200) else { return };
        // Copied: the body may be a slice of a larger buffer, which it would keep alive unweighed.
        let answer = Answer {
            body: Bytes::copy_from_slice(&answer.body),
            held: None,
            readings: Readings::default(),
            ..answer.clone()
        };
        entries.insert(key, CachedAnswer { answer, until: Instant::now() + ttl });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn answer(status: u16, length: usize) -> Answer {
        let body = Bytes::from(vec![b'x'; length]);
        Answer {
            status,
            content_type: None,
            location: None,
            cookies: Vec::new(),
            body,
            held: None,
            readings: Readings::default(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn entry_expires_after_its_ttl() {
        let cache = Cache::new(100_000);
        let key = ReadKey::of(1);
        cache.put(key, &answer(200, 10), MINUTE);
        tokio::time::advance(MINUTE.saturating_sub(Duration::from_millis(1))).await;
        assert_eq!(cache.get(&key).unwrap().body, "x".repeat(10));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cache.get(&key).is_none());
        cache.put(key, &answer(200, 20), MINUTE);
        assert_eq!(cache.get(&key).unwrap().body.len(), 20, "and is replaced");
    }

    #[tokio::test]
    async fn only_status_200_is_cached() {
        let cache = Cache::new(100_000);
        for status in [201, 204, 302, 401, 403, 404, 429, 500, 503] {
            cache.put(ReadKey::of(status), &answer(status, 10), MINUTE);
            assert!(cache.get(&ReadKey::of(status)).is_none(), "{status}");
        }
    }

    #[tokio::test]
    async fn cache_holds_large_answers_within_its_capacity() {
        let cache = Cache::new(1_000_000);
        cache.put(ReadKey::of(0), &answer(200, 600_000), MINUTE);
        assert!(cache.get(&ReadKey::of(0)).is_some(), "a long list");
        cache.put(ReadKey::of(1), &answer(200, 1_000_001), MINUTE);
        assert!(cache.get(&ReadKey::of(1)).is_none());
        for number in 2..1000 {
            cache.put(ReadKey::of(number), &answer(200, 10_000), MINUTE);
        }
        assert!(cache.0.as_ref().unwrap().weight() <= 1_000_000);
        let none = Cache::new(0);
        none.put(ReadKey::of(0), &answer(200, 10), MINUTE);
        assert!(none.get(&ReadKey::of(0)).is_none());
    }
}
