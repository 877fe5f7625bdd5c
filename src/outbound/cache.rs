//! Answers that may serve again (feature F13): only where a call says for how long.

use std::time::Duration;

use bytes::Bytes;
use quick_cache::sync::{Cache as Entries, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::time::Instant;

use super::call::Answer;
use super::sharing::Key;

/// What an entry takes beside its body, in bytes.
const OVERHEAD: usize = 512;

/// Answers by the same key that reads are shared by: after a write, the tenant's keys are others.
pub(super) struct Cache(Option<Entries<Key, Remembered, Weight>>);

#[derive(Clone)]
struct Remembered {
    answer: Answer,
    until: Instant,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Remembered> for Weight {
    fn weight(&self, _: &Key, remembered: &Remembered) -> u64 {
        let answer = &remembered.answer;
        let texts = answer.cookies.iter().chain(&answer.content_type).chain(&answer.location);
        (answer.body.len() + texts.map(String::len).sum::<usize>() + OVERHEAD) as u64
    }
}

impl Cache {
    /// A cache of so many bytes; none if zero.
    pub(super) fn new(bytes: usize) -> Self {
        Self((bytes > 0).then(|| {
            let mut options = OptionsBuilder::new();
            options.estimated_items_capacity((bytes / 8192).max(16)).weight_capacity(bytes as u64);
            // What is larger than a shard is never kept, and a long list would be larger than one
            // of many.
            let options = options.shards(1).build().expect("both capacities are given");
            Entries::with_options(
                options,
                Weight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            )
        }))
    }

    /// The answer to that call, if it was asked for lately.
    pub(super) fn get(&self, key: &Key) -> Option<Answer> {
        let found = self.0.as_ref()?.get(key)?;
        (found.until > Instant::now()).then_some(found.answer)
    }

    /// Remembers an answer, unless it is no plain success.
    pub(super) fn put(&self, key: Key, answer: &Answer, lasts: Duration) {
        let Some(entries) = self.0.as_ref().filter(|_| answer.status == 200) else { return };
        // The body may be a part of a larger buffer, which would be kept with it and not weighed.
        let answer =
            Answer { body: Bytes::copy_from_slice(&answer.body), held: None, ..answer.clone() };
        entries.insert(key, Remembered { answer, until: Instant::now() + lasts });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn answer(status: u16, length: usize) -> Answer {
        let body = Bytes::from(vec![b'x'; length]);
        Answer { status, content_type: None, location: None, cookies: Vec::new(), body, held: None }
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_ends_after_its_time() {
        let (cache, key) = (Cache::new(100_000), Key::of(1));
        cache.put(key, &answer(200, 10), MINUTE);
        tokio::time::advance(MINUTE - Duration::from_millis(1)).await;
        assert_eq!(cache.get(&key).unwrap().body, "x".repeat(10));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(cache.get(&key).is_none());
        cache.put(key, &answer(200, 20), MINUTE);
        assert_eq!(cache.get(&key).unwrap().body.len(), 20, "and gives way to the next");
    }

    #[tokio::test]
    async fn only_a_plain_success_is_remembered() {
        let cache = Cache::new(100_000);
        for status in [201, 204, 302, 401, 403, 404, 429, 500, 503] {
            cache.put(Key::of(status), &answer(status, 10), MINUTE);
            assert!(cache.get(&Key::of(status)).is_none(), "{status}");
        }
    }

    #[tokio::test]
    async fn much_is_remembered_and_no_more_than_fits() {
        let cache = Cache::new(1_000_000);
        cache.put(Key::of(0), &answer(200, 600_000), MINUTE);
        assert!(cache.get(&Key::of(0)).is_some(), "a long list");
        cache.put(Key::of(1), &answer(200, 1_000_001), MINUTE);
        assert!(cache.get(&Key::of(1)).is_none());
        for number in 2..1000 {
            cache.put(Key::of(number), &answer(200, 10_000), MINUTE);
        }
        assert!(cache.0.as_ref().unwrap().weight() <= 1_000_000);
        let none = Cache::new(0);
        none.put(Key::of(0), &answer(200, 10), MINUTE);
        assert!(none.get(&Key::of(0)).is_none());
    }
}
