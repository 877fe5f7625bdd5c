//! Answers that may serve again (feature F13): only where a call says for how long.

use std::time::Duration;

use quick_cache::Weighter;
use quick_cache::sync::Cache as Entries;
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
        Self((bytes > 0).then(|| Entries::with_weighter((bytes / 8192).max(16), bytes as u64, Weight)))
    }

    /// The answer to that call, if it was asked for lately.
    pub(super) fn get(&self, key: &Key) -> Option<Answer> {
        let found = self.0.as_ref()?.get(key)?;
        (found.until > Instant::now()).then_some(found.answer)
    }

    /// Remembers an answer, unless it is no plain success.
    pub(super) fn put(&self, key: Key, answer: &Answer, lasts: Duration) {
        let Some(entries) = self.0.as_ref().filter(|_| answer.status == 200) else { return };
        entries.insert(key, Remembered { answer: answer.clone(), until: Instant::now() + lasts });
    }
}
