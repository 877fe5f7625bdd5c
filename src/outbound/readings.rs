//! Values that callers read from an answer that they share.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::{Error, Result};

type Entry = (String, Arc<OnceLock<Reading>>);
type Reading = Result<Arc<dyn Any + Send + Sync>>;

/// The readings of one answer: callers who share the answer, and so its tenant and identity, share
/// what they read from it. They live as long as a caller holds the answer.
#[derive(Clone, Default)]
pub struct Readings(Arc<Mutex<Vec<Entry>>>);

impl Readings {
    /// Returns the reading of that key, or makes it by `read`. A caller that comes while another one
    /// is reading reads too: waiting would block its thread until the other, whose priority may be
    /// lower, goes on. The key says all that the reading depends on besides the answer.
    ///
    /// # Errors
    /// Those of `read`, for every caller.
    pub fn get_or_read<T: Send + Sync + 'static>(
        &self,
        key: String,
        read: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let cell = self.cell(key);
        let reading = match cell.get() {
            Some(reading) => reading,
            None => {
                let made = read().map(|value| Arc::new(value) as Arc<_>);
                cell.get_or_init(|| made)
            }
        };
        reading
            .clone()?
            .downcast()
            .map_err(|_| Error::internal("one key stands for readings of two types"))
    }

    fn cell(&self, key: String) -> Arc<OnceLock<Reading>> {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cell)) = readings.iter().find(|(known, _)| *known == key) {
            return cell.clone();
        }
        let cell = Arc::default();
        readings.push((key, Arc::clone(&cell)));
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn one_key_is_read_once() {
        let readings = Readings::default();
        let reads = Cell::new(0);
        let read = |key: &str| {
            readings.clone().get_or_read(key.to_owned(), || {
                reads.set(reads.get() + 1);
                Ok(reads.get())
            })
        };
        assert_eq!((*read("a").unwrap(), *read("a").unwrap(), *read("b").unwrap()), (1, 1, 2));
    }

    #[test]
    fn caller_does_not_wait_for_another_one_that_is_reading() {
        let readings = Readings::default();
        let inner = readings.clone();
        let outer = readings.get_or_read("a".to_owned(), || {
            // In the middle of the first reading, as another thread would be.
            inner.get_or_read("a".to_owned(), || Ok(2)).map(|value| *value - 1)
        });
        assert_eq!(*outer.unwrap(), 2, "the reading that ended first is that of all");
    }

    #[test]
    fn error_is_that_of_the_first_reading_for_all() {
        let readings = Readings::default();
        let fail = || Err::<u8, _>(Error::not_found("computer"));
        assert!(readings.get_or_read("a".to_owned(), fail).is_err());
        assert!(readings.get_or_read("a".to_owned(), || Ok(1_u8)).is_err());
    }
}
