//! Ids of the vendor's objects.

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::global_id::{GlobalId, NodeKind};
use crate::ids::UpstreamId;

/// The id of an object: digits, up to `int64` (`docs/reference/deep-security-api.md`, section 2).
/// Nothing else ever becomes part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectId(pub i64);

impl ObjectId {
    /// The vendor's id of an object that is asked for.
    ///
    /// # Errors
    /// `NOT_FOUND`, since nothing has an id of another form.
    pub fn parse(what: &'static str, text: &str) -> Result<Self> {
        digits(text).map(Self).ok_or_else(|| Error::not_found(what))
    }
}

/// Where the vendor's ids of a manager are unique. It writes global ids, and reads what callers
/// give: the vendor's id, or a global id of an object of this very place.
#[derive(Clone, Copy, Debug)]
pub struct IdScope {
    within: Uuid,
    upstream: UpstreamId,
}

impl IdScope {
    /// Objects are unique within that place, a link as a rule; tenants within the installation.
    pub fn new(within: Uuid, upstream: UpstreamId) -> Self {
        Self { within, upstream }
    }

    /// The global id of an object.
    pub fn global(self, kind: NodeKind, id: i64) -> String {
        GlobalId::write(kind, self.place(kind), &id.to_string())
    }

    /// An object that is asked for.
    ///
    /// # Errors
    /// `NOT_FOUND` for a global id of another type or another place, and for what is no id.
    pub fn object(self, what: &'static str, kind: NodeKind, text: &str) -> Result<ObjectId> {
        match GlobalId::read(text) {
            Some(id) => self.own(what, kind, id).map(ObjectId),
            None => ObjectId::parse(what, text),
        }
    }

    /// An object that another one refers to.
    ///
    /// # Errors
    /// `NOT_FOUND` for a global id of another type or another place, `BAD_USER_INPUT` naming
    /// `argument` for what is no id.
    pub fn reference(self, argument: &str, kind: NodeKind, text: &str) -> Result<i64> {
        match GlobalId::read(text) {
            Some(id) => self.own("object", kind, id),
            None => reference(argument, text),
        }
    }

    fn own(self, what: &'static str, kind: NodeKind, id: GlobalId) -> Result<i64> {
        let remote = id.remote_of(kind, self.place(kind));
        remote.as_deref().and_then(digits).ok_or_else(|| Error::not_found(what))
    }

    fn place(self, kind: NodeKind) -> Uuid {
        if kind == NodeKind::DeepSecurityTenant { self.upstream.0 } else { self.within }
    }
}

/// The vendor's id of an object that another one refers to, and that has no global id.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn reference(argument: &str, text: &str) -> Result<i64> {
    digits(text).ok_or_else(|| Error::bad_input(argument, "must be an id, which is a number"))
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
    fn both_forms_of_an_id_name_the_same_object() {
        let scope = scope(1, 2);
        for text in ["7".to_owned(), scope.global(COMPUTER, 7)] {
            assert_eq!(scope.object("computer", COMPUTER, &text).unwrap(), ObjectId(7));
            assert_eq!(scope.reference("computerID", COMPUTER, &text).unwrap(), 7);
        }
    }

    #[test]
    fn global_id_of_another_type_or_place_is_not_found() {
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
    fn tenants_have_one_global_id_whatever_link_leads_to_them() {
        let tenant = NodeKind::DeepSecurityTenant;
        assert_eq!(scope(1, 2).global(tenant, 7), scope(3, 2).global(tenant, 7));
        assert_ne!(scope(1, 2).global(COMPUTER, 7), scope(3, 2).global(COMPUTER, 7));
    }
}
