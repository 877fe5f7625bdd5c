//! Values that callers read from an answer that they share.

use std::any::Any;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::{Error, Result};

type Entry = (String, Arc<OnceLock<Reading>>);
type Reading = Result<Arc<dyn Any + Send + Sync>>;

/// The readings of one answer: callers who share the answer, and so its tenant and identity, and
/// want the same of it read it once. They live as long as a caller holds the answer.
#[derive(Clone, Default)]
pub struct Readings(Arc<Mutex<Vec<Entry>>>);

impl Readings {
    /// Returns the reading of that key, which `read` makes for the first caller. The key says all
    /// that the reading depends on besides the answer.
    ///
    /// # Errors
    /// Those of `read`, for every caller.
    pub fn get_or_read<T: Send + Sync + 'static>(
        &self,
        key: String,
        read: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let cell = self.cell(key);
        let reading = cell.get_or_init(|| read().map(|value| Arc::new(value) as Arc<_>)).clone()?;
        reading.downcast().map_err(|_| Error::internal("one key stands for readings of two types"))
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
    fn error_is_that_of_the_first_reading_for_all() {
        let readings = Readings::default();
        let fail = || Err::<u8, _>(Error::not_found("computer"));
        assert!(readings.get_or_read("a".to_owned(), fail).is_err());
        assert!(readings.get_or_read("a".to_owned(), || Ok(1_u8)).is_err());
    }
}
