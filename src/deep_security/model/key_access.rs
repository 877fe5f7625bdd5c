//! The access of a tenant's key.

/// The access of a tenant's key, never more than the access of the caller it is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAccess {
    /// Read everything, change nothing.
    Read,
    /// Read and change everything.
    Full,
}

impl KeyAccess {
    /// Every access.
    pub const ALL: [Self; 2] = [Self::Read, Self::Full];

    /// The spelling in the database and in the names of keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Full => "FULL",
        }
    }

    /// The access with that spelling.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.as_str() == name)
    }
}
