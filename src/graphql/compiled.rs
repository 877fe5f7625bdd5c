//! A resolver compiles a selection once; the result is kept with the normal form.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::error::Result;

/// A value that a resolver compiles from the selection of its field, for all requests that share
/// the normal form. It must not depend on variables, nor on the caller.
#[derive(Default)]
pub struct Compiled(OnceLock<Arc<dyn Any + Send + Sync>>);

impl Compiled {
    /// Returns the value; the first call compiles it. A value of another type is compiled anew each
    /// time.
    ///
    /// # Errors
    /// Those of `compile`, which is tried again by the next call.
    pub fn get_or_compile<T: Send + Sync + 'static>(
        &self,
        compile: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        if let Some(Ok(compiled)) = self.0.get().map(|known| known.clone().downcast()) {
            return Ok(compiled);
        }
        let compiled = Arc::new(compile()?);
        // Another caller may have set it meanwhile; both values are equal.
        let _ = self.0.set(compiled.clone());
        Ok(compiled)
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("is_set", &self.0.get().is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn value_is_compiled_once_for_each_type() {
        let compiled = Compiled::default();
        let failed = compiled.get_or_compile(|| Err::<u8, _>(Error::not_found("plan")));
        assert!(failed.is_err());
        let first = compiled.get_or_compile(|| Ok(1_u8)).unwrap();
        let second = compiled.get_or_compile(|| -> Result<u8> { unreachable!() }).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(*compiled.get_or_compile(|| Ok("of another type")).unwrap(), "of another type");
        assert_eq!(*compiled.get_or_compile(|| Ok(2_u8)).unwrap(), 1);
    }
}
