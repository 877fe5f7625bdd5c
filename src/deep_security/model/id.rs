//! The vendor's ids, and global ids of its objects.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::UpstreamId;

/// The id of an object: an unsigned decimal `int64` (`docs/reference/deep-security-api.md`, section
/// 2). No other text from a caller becomes part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId(pub i64);

impl ObjectId {
    /// Parses the vendor's id of a requested object.
    ///
    /// # Errors
    /// `NOT_FOUND` naming `kind` for any other format, which no object has.
    pub fn parse(kind: &'static str, text: &str) -> Result<Self> {
        digits(text).map(Self).ok_or_else(|| Error::not_found(kind))
    }
}

/// The scope within which a manager's ids are unique. Writes global ids, and parses the ids that
/// callers pass: a vendor's id or a global id of this scope.
#[derive(Clone, Copy, Debug)]
pub struct IdScope {
    within: Uuid,
    upstream: UpstreamId,
}

impl IdScope {
    /// Object ids are unique within `within`, usually a link; tenant ids within the installation.
    pub fn new(within: Uuid, upstream: UpstreamId) -> Self {
        Self { within, upstream }
    }

    /// The global id of an object.
    pub fn global(self, node: NodeKind, id: i64) -> String {
        GlobalId::write(node, self.scope_of(node), &id.to_string())
    }

    /// Parses the id of a requested object.
    ///
    /// # Errors
    /// `NOT_FOUND` naming `kind` for a global id of another type or scope, and for a text that is
    /// not an id.
    pub fn object(self, kind: &'static str, node: NodeKind, text: &str) -> Result<ObjectId> {
        match GlobalId::read(text) {
            Some(id) => self.remote(kind, node, id).map(ObjectId),
            None => ObjectId::parse(kind, text),
        }
    }

    /// Parses the id of an object that another one refers to.
    ///
    /// # Errors
    /// `NOT_FOUND` for a global id of another type or scope; `BAD_USER_INPUT` naming `argument` for
    /// a text that is not an id.
    pub fn reference(self, argument: &str, node: NodeKind, text: &str) -> Result<i64> {
        match GlobalId::read(text) {
            Some(id) => self.remote("object", node, id),
            None => reference(argument, text),
        }
    }

    fn remote(self, kind: &'static str, node: NodeKind, id: GlobalId) -> Result<i64> {
        let remote = id.remote_of(node, self.scope_of(node));
        remote.as_deref().and_then(digits).ok_or_else(|| Error::not_found(kind))
    }

    /// Where the vendor's ids of that type are unique.
    pub fn scope_of(self, node: NodeKind) -> Uuid {
        if node == NodeKind::DeepSecurityTenant { self.upstream.0 } else { self.within }
    }
}

/// Parses the vendor's id of a referenced object of a type without global ids.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn reference(argument: &str, text: &str) -> Result<i64> {
    digits(text).ok_or_else(|| Error::bad_input(argument, "must be a numeric id"))
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    const COMPUTER: NodeKind = NodeKind::DeepSecurityComputer;

    fn scope(within: u128, upstream: u128) -> IdScope {
        IdScope::new(Uuid::from_u128(within), UpstreamId(Uuid::from_u128(upstream)))
    }

    #[test]
    fn only_digits_become_part_of_a_path() {
        assert_eq!(ObjectId::parse("computer", "9223372036854775807").unwrap().0, i64::MAX);
        for text in
            ["", "-1", "+1", "1/2", "..", "1\r\n", "1\0", "９", "9223372036854775808", " 1", "1?x"]
        {
            assert!(ObjectId::parse("computer", text).is_err(), "{text:?}");
            assert!(reference("roleID", text).is_err(), "{text:?}");
            let wrapped = GlobalId::write(COMPUTER, Uuid::from_u128(1), text);
            assert!(scope(1, 2).object("computer", COMPUTER, &wrapped).is_err(), "{text:?}");
        }
    }

    #[test]
    fn vendor_id_and_global_id_name_the_same_object() {
        let scope = scope(1, 2);
        for text in ["7".to_owned(), scope.global(COMPUTER, 7)] {
            assert_eq!(scope.object("computer", COMPUTER, &text).unwrap(), ObjectId(7));
            assert_eq!(scope.reference("computerID", COMPUTER, &text).unwrap(), 7);
        }
    }

    #[test]
    fn global_id_of_another_type_or_scope_is_not_found() {
        let own = scope(1, 2);
        for foreign in
            [own.global(NodeKind::DeepSecurityPolicy, 7), scope(3, 2).global(COMPUTER, 7)]
        {
            let code = |result: Result<i64>| result.unwrap_err().code();
            assert_eq!(
                code(own.object("computer", COMPUTER, &foreign).map(|id| id.0)),
                ErrorCode::NotFound
            );
            assert_eq!(code(own.reference("computerID", COMPUTER, &foreign)), ErrorCode::NotFound);
        }
    }

    #[test]
    fn tenant_has_one_global_id_through_every_link() {
        let tenant = NodeKind::DeepSecurityTenant;
        assert_eq!(scope(1, 2).global(tenant, 7), scope(3, 2).global(tenant, 7));
        assert_ne!(scope(1, 2).global(COMPUTER, 7), scope(3, 2).global(COMPUTER, 7));
    }
}
