//! How much a key may.

/// How much a tenant's key may: no more than the caller for whom it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAccess {
    /// Look at everything, change nothing.
    Read,
    /// Everything.
    Full,
}

impl KeyAccess {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Read, Self::Full];

    /// The name, as the database and the names of keys have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Full => "FULL",
        }
    }

    /// The right of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|access| access.as_str() == name)
    }
}
