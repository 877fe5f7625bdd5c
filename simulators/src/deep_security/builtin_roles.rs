//! The roles that every tenant has.

use serde_json::json;

use super::object::{Collection, object};
use super::rights;

/// The id of the role with full access; the Auditor has the next one.
pub(crate) const FULL_ACCESS: i32 = 1;

/// The roles of a fresh tenant: 1 with full access, 2 the read-only Auditor (reference, section 7).
pub(crate) fn collection() -> Collection {
    let role = |name: &str, description: &str, held: fn(&str) -> bool| {
        object(json!({
            "name": name,
            "description": description,
            "urn": format!("urn:tmds:identity:us-east-ds-1::role/{name}"),
            "immutable": true,
            "canOnlyManipulateUsersWithEqualOrLesserRights": false,
            "allComputers": true,
            "allPolicies": true,
            "allowUserInterface": true,
            "allowWebService": true,
            "rights": rights::tree(held),
        }))
    };
    let mut roles = Collection::default();
    roles.add(role("Full Access", "Full access to everything", |_| true));
    roles.add(role("Auditor", "Read-only access to everything", |right| {
        right.starts_with("canView")
    }));
    roles
}
