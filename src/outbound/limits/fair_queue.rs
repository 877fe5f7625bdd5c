//! A queue that serves callers in turn: a caller with a thousand waiting calls does not delay
//! another caller's single call.
//!
//! Our own: the queues of `tokio` and `tower` are first in, first out, and know nothing of callers.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::outbound::failure::Failure;

/// Callers that wait for a `T`. The calls of one caller are served in order.
pub(in crate::outbound) struct FairQueue<T> {
    /// Callers with a waiting call, the next one first.
    turns: VecDeque<Uuid>,
    waiting: HashMap<Uuid, VecDeque<oneshot::Sender<T>>>,
    length: usize,
    max_length: usize,
}

impl<T> FairQueue<T> {
    pub(in crate::outbound) fn new(max_length: usize) -> Self {
        Self { turns: VecDeque::new(), waiting: HashMap::new(), length: 0, max_length }
    }

    pub(in crate::outbound) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Joins the queue.
    ///
    /// # Errors
    /// `QueueFull`.
    pub(in crate::outbound) fn join(
        &mut self,
        caller: Uuid,
    ) -> Result<oneshot::Receiver<T>, Failure> {
        if self.length >= self.max_length {
            self.drop_abandoned();
        }
        if self.length >= self.max_length {
            return Err(Failure::QueueFull);
        }
        let (sender, receiver) = oneshot::channel();
        let own = self.waiting.entry(caller).or_default();
        if own.is_empty() {
            self.turns.push_back(caller);
        }
        own.push_back(sender);
        self.length += 1;
        Ok(receiver)
    }

    /// Whether the caller has a waiting call.
    pub(in crate::outbound) fn holds(&self, caller: &Uuid) -> bool {
        self.waiting.contains_key(caller)
    }

    /// Takes the next call off the queue. It may have been abandoned.
    pub(in crate::outbound) fn pop(&mut self) -> Option<oneshot::Sender<T>> {
        self.pop_where(|_| true).map(|(_, next)| next)
    }

    /// Takes the next call of an eligible caller off the queue. It may have been abandoned.
    pub(in crate::outbound) fn pop_where(
        &mut self,
        is_eligible: impl Fn(&Uuid) -> bool,
    ) -> Option<(Uuid, oneshot::Sender<T>)> {
        let at = self.turns.iter().position(is_eligible)?;
        let caller = self.turns.remove(at)?;
        let own = self.waiting.get_mut(&caller)?;
        let next = own.pop_front();
        self.length -= 1;
        if own.is_empty() {
            self.waiting.remove(&caller);
        } else {
            self.turns.push_back(caller);
        }
        next.map(|next| (caller, next))
    }

    fn drop_abandoned(&mut self) {
        self.waiting.values_mut().for_each(|own| own.retain(|sender| !sender.is_closed()));
        self.waiting.retain(|_, own| !own.is_empty());
        self.turns.retain(|caller| self.waiting.contains_key(caller));
        self.length = self.waiting.values().map(VecDeque::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    #[test]
    fn callers_are_served_in_turn() {
        let mut queue = FairQueue::new(10);
        let mut waiting: Vec<_> =
            [1, 1, 1, 2, 3].map(|number| (number, queue.join(caller(number)).unwrap())).into();
        let mut served = Vec::new();
        while let Some(next) = queue.pop() {
            next.send(()).unwrap();
            waiting.retain_mut(|(number, receiver)| {
                let came = receiver.try_recv().is_ok();
                if came {
                    served.push(*number);
                }
                !came
            });
        }
        assert_eq!(served, [1, 2, 3, 1, 1]);
    }

    #[test]
    fn abandoned_call_makes_room_in_a_full_queue() {
        let mut queue = FairQueue::<()>::new(2);
        let gone = queue.join(caller(1)).unwrap();
        let stays = queue.join(caller(2)).unwrap();
        assert!(matches!(queue.join(caller(3)), Err(Failure::QueueFull)));
        drop(gone);
        let came = queue.join(caller(3)).unwrap();
        assert!(queue.pop().unwrap().send(()).is_ok() && queue.pop().unwrap().send(()).is_ok());
        assert!(queue.pop().is_none() && queue.is_empty());
        drop((stays, came));
    }
}
