//! Rate limits (reference, section 4).

use std::collections::{HashMap, VecDeque};

use super::config::Limits;

const WINDOW_MILLIS: i64 = 60_000;

/// Whom a call counts for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Key { tenant: i32, key: i32 },
    Administrator { tenant: i32 },
    Tenant(i32),
    Node,
}

/// The calls of the last 60 seconds, for each subject that has a limit.
pub(crate) struct Rates {
    limits: Limits,
    calls: HashMap<Subject, VecDeque<i64>>,
}

impl Rates {
    pub fn new(limits: Limits) -> Self {
        Self { limits, calls: HashMap::new() }
    }

    /// Counts a call of `user` in `tenant`, unless a limit is reached. Refused calls do not count.
    pub fn admit(&mut self, user: Subject, tenant: i32, now: i64) -> bool {
        let Limits { key, tenant: each_tenant, node } = self.limits;
        let limits = [(user, key), (Subject::Tenant(tenant), each_tenant), (Subject::Node, node)];
        let limited = limits.into_iter().filter_map(|(subject, limit)| Some((subject, limit?)));
        let admitted =
            limited.clone().all(|(subject, limit)| self.recent(subject, now).len() < limit);
        if admitted {
            limited.for_each(|(subject, _)| self.recent(subject, now).push_back(now));
        }
        admitted
    }

    fn recent(&mut self, subject: Subject, now: i64) -> &mut VecDeque<i64> {
        let calls = self.calls.entry(subject).or_default();
        while calls.front().is_some_and(|&call| call <= now - WINDOW_MILLIS) {
            calls.pop_front();
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: Subject = Subject::Key { tenant: 1, key: 1 };
    const OTHER: Subject = Subject::Key { tenant: 1, key: 2 };

    #[test]
    fn refused_calls_do_not_count() {
        let mut rates = Rates::new(Limits { key: Some(2), tenant: None, node: None });
        assert!(rates.admit(USER, 1, 0) && rates.admit(USER, 1, 30_000));
        assert!((0..10).all(|_| !rates.admit(USER, 1, 59_999)));
        assert!(rates.admit(USER, 1, 60_000));
        assert!(!rates.admit(USER, 1, 60_000));
    }

    #[test]
    fn limits_apply_to_each_key_and_to_the_tenant() {
        let mut rates = Rates::new(Limits { key: Some(1), tenant: Some(2), node: None });
        assert!(rates.admit(USER, 1, 0));
        assert!(!rates.admit(USER, 1, 0));
        assert!(rates.admit(OTHER, 1, 0));
        assert!(!rates.admit(Subject::Key { tenant: 1, key: 3 }, 1, 0));
        assert!(rates.admit(Subject::Key { tenant: 2, key: 1 }, 2, 0));
    }
}
