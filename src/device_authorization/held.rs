//! The requests that this node holds until their codes are decided.
//!
//! A held request is a parked future. It asks the database nothing: one task looks for all of them
//! together, and a decision on this node wakes its own at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::ids::DeviceCodeId;

/// The codes that requests are held for.
#[derive(Default)]
pub(super) struct HeldRequests(Mutex<HashMap<DeviceCodeId, Entry>>);

struct Entry {
    decided: Arc<Notify>,
    requests: usize,
}

/// One held request. Dropping it releases its place.
pub struct Held {
    id: DeviceCodeId,
    decided: Arc<Notify>,
    requests: Arc<HeldRequests>,
}

impl HeldRequests {
    /// Holds a request for that code.
    pub(super) fn hold(self: &Arc<Self>, id: DeviceCodeId) -> Held {
        let mut held = self.lock();
        let entry = held
            .entry(id)
            .or_insert_with(|| Entry { decided: Arc::new(Notify::new()), requests: 0 });
        entry.requests += 1;
        Held { id, decided: entry.decided.clone(), requests: self.clone() }
    }

    /// The codes that requests are held for.
    pub(super) fn codes(&self) -> Vec<DeviceCodeId> {
        self.lock().keys().copied().collect()
    }

    /// Wakes the requests of a code.
    pub(super) fn wake(&self, id: DeviceCodeId) {
        if let Some(entry) = self.lock().get(&id) {
            entry.decided.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceCodeId, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Completes when the code is decided after this call.
    pub fn decided(&self) -> impl Future<Output = ()> + Send + use<> {
        // Registered now, not at the first poll: a decision in between must not be missed.
        self.decided.clone().notified_owned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.requests.lock();
        if let Some(entry) = held.get_mut(&self.id) {
            entry.requests -= 1;
            if entry.requests == 0 {
                held.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn decision_wakes_every_request_of_its_code_and_no_other() {
        let held = Arc::new(HeldRequests::default());
        let id = DeviceCodeId::random(&SystemEntropy);
        let other = DeviceCodeId::random(&SystemEntropy);
        let first = held.hold(id);
        let second = held.hold(id);
        let stranger = held.hold(other);
        let waits = [first.decided(), second.decided(), stranger.decided()];
        held.wake(id);
        let woken = waits.map(|wait| wait.now_or_never().is_some());
        assert_eq!(woken, [true, true, false]);
        drop((first, stranger));
        assert_eq!(held.codes(), [id]);
        drop(second);
        assert!(held.codes().is_empty());
        held.wake(id);
    }
}
