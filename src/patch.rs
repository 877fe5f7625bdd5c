//! A change of a value that may also be absent.

/// A change of an optional value: JSON tells the three apart as a member that is absent,
/// null, or has a value (RFC 7396).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// There is none any more.
    Clear,
    /// It becomes this one.
    Set(T),
}

impl<T> Patch<T> {
    /// The new value, if it is set.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<T: Clone> Patch<T> {
    /// The value after the change of one that was `before`.
    pub fn applied(&self, before: Option<&T>) -> Option<T> {
        match self {
            Self::Keep => before.cloned(),
            Self::Clear => None,
            Self::Set(value) => Some(value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_absent_change_keeps_the_value() {
        assert_eq!(Patch::Keep.applied(Some(&1)), Some(1));
        assert_eq!(Patch::Clear.applied(Some(&1)), None);
        assert_eq!(Patch::Set(2).applied(Some(&1)), Some(2));
        assert_eq!(Patch::Set(2).applied(None), Some(2));
    }
}
