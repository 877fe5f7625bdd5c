//! Sets of permissions, as the scope of a token names them (RFC 6749, section 3.3).

use super::Permission;
use crate::tokens::SCOPE;

/// A set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permissions(u16);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);

    /// Every permission, also those that later versions add: the scope `graphql`.
    pub const ALL: Self = Self(u16::MAX);

    /// Exactly these permissions.
    pub fn of(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | bit(permission)))
    }

    /// Whether it is in the set.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// Whether every permission of the other set is in this one.
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Reads a scope that a client requests: names separated by spaces. Returns `None` if a name is
    /// unknown or the scope is empty.
    pub fn requested(scope: &str) -> Option<Self> {
        let mut names = scope.split(' ').filter(|name| !name.is_empty()).peekable();
        names.peek()?;
        names.try_fold(Self::NONE, |set, name| Some(Self(set.0 | named(name)?.0)))
    }

    /// Reads the scope of a token, which a later version may have issued: names that this version
    /// does not know permit nothing.
    pub fn granted(scope: &str) -> Self {
        Self(scope.split(' ').filter_map(named).fold(0, |bits, set| bits | set.0))
    }

    /// The names of the set, separated by spaces.
    pub fn scope(self) -> String {
        if self == Self::ALL {
            return SCOPE.to_owned();
        }
        let names = Permission::ALL.into_iter().filter(|permission| self.contains(*permission));
        names.map(Permission::scope).collect::<Vec<_>>().join(" ")
    }

    /// All names that a scope may contain, `graphql` first.
    pub fn scopes() -> impl Iterator<Item = &'static str> {
        std::iter::once(SCOPE).chain(Permission::ALL.into_iter().map(Permission::scope))
    }
}

const fn bit(permission: Permission) -> u16 {
    1 << permission as u16
}

fn named(name: &str) -> Option<Permissions> {
    if name == SCOPE {
        return Some(Permissions::ALL);
    }
    let permission = Permission::ALL.into_iter().find(|permission| permission.scope() == name)?;
    Some(Permissions(bit(permission)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_round_trips() {
        let some = Permissions::of([Permission::ReadClients, Permission::ReadLegacy]);
        assert_eq!(some.scope(), "clients:read legacy:read");
        assert_eq!(Permissions::requested("legacy:read  clients:read clients:read"), Some(some));
        assert_eq!(Permissions::granted(&some.scope()), some);
    }

    #[test]
    fn everything_is_more_than_all_that_has_a_name_today() {
        let named = Permissions::of(Permission::ALL);
        assert!(Permissions::ALL.covers(named) && !named.covers(Permissions::ALL));
        assert_eq!(Permissions::requested("clients:read graphql"), Some(Permissions::ALL));
        assert_eq!(Permissions::ALL.scope(), "graphql");
    }

    #[test]
    fn unknown_permission_is_refused_in_a_request_and_grants_nothing_in_a_token() {
        for scope in ["openid", "clients:read openid", "Clients:Read", "", " "] {
            assert_eq!(Permissions::requested(scope), None, "{scope:?}");
        }
        assert_eq!(Permissions::granted("openid"), Permissions::NONE);
        assert_eq!(Permissions::granted(""), Permissions::NONE);
    }

    #[test]
    fn names_are_distinct_and_fit_into_the_set() {
        let names: std::collections::HashSet<_> = Permissions::scopes().collect();
        assert_eq!(names.len(), Permission::ALL.len() + 1);
        assert!(Permission::ALL.len() < 16);
    }
}
