//! A queue in which callers take turns: one with a thousand calls waiting does not hold up one with
//! a single call.

use std::collections::{HashMap, VecDeque};

use tokio::sync::oneshot;
use uuid::Uuid;

use super::failure::Failure;

/// Those who wait for a `T`, each caller's in their order.
pub(super) struct Queue<T> {
    /// Callers who have something waiting, the next first.
    turns: VecDeque<Uuid>,
    waiting: HashMap<Uuid, VecDeque<oneshot::Sender<T>>>,
    length: usize,
    longest: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(longest: usize) -> Self {
        Self { turns: VecDeque::new(), waiting: HashMap::new(), length: 0, longest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Joins the queue.
    ///
    /// # Errors
    /// `QueueFull` if it is full.
    pub(super) fn join(&mut self, caller: Uuid) -> Result<oneshot::Receiver<T>, Failure> {
        if self.length >= self.longest {
            self.drop_gone();
        }
        if self.length >= self.longest {
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

    /// Whether that caller waits.
    pub(super) fn holds(&self, caller: &Uuid) -> bool {
        self.waiting.contains_key(caller)
    }

    /// Who is next. They may have gone.
    pub(super) fn next(&mut self) -> Option<oneshot::Sender<T>> {
        self.next_where(|_| true).map(|(_, next)| next)
    }

    /// Who is next among the callers that may go. They may have gone.
    pub(super) fn next_where(
        &mut self,
        may_go: impl Fn(&Uuid) -> bool,
    ) -> Option<(Uuid, oneshot::Sender<T>)> {
        let at = self.turns.iter().position(may_go)?;
        let caller = self.turns.remove(at)?;
        let own = self.waiting.get_mut(&caller)?;
        let next = own.pop_front();
        self.length -= 1;
        match own.is_empty() {
            true => drop(self.waiting.remove(&caller)),
            false => self.turns.push_back(caller),
        }
        next.map(|next| (caller, next))
    }

    fn drop_gone(&mut self) {
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
    fn callers_take_turns() {
        let mut queue = Queue::new(10);
        let mut waiting: Vec<_> =
            [1, 1, 1, 2, 3].map(|number| (number, queue.join(caller(number)).unwrap())).into();
        let mut served = Vec::new();
        while let Some(next) = queue.next() {
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
    fn who_has_gone_makes_room() {
        let mut queue = Queue::<()>::new(2);
        let gone = queue.join(caller(1)).unwrap();
        let stays = queue.join(caller(2)).unwrap();
        assert!(matches!(queue.join(caller(3)), Err(Failure::QueueFull)));
        drop(gone);
        let came = queue.join(caller(3)).unwrap();
        assert!(queue.next().unwrap().send(()).is_ok() && queue.next().unwrap().send(()).is_ok());
        assert!(queue.next().is_none() && queue.is_empty());
        drop((stays, came));
    }
}
