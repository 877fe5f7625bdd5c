//! The domain model of tenants.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::names::{Name, NamePattern};
use crate::patch::Patch;

pub use super::entity::Model as Tenant;

/// The maximum depth of the tenant tree: each level costs a row for every tenant below it, and no
/// deployment needs more.
pub const DEPTH_MAX: usize = 64;

/// How many tenants there may be below another, at whatever distance.
#[derive(Clone, Copy, Debug)]
pub struct Quotas {
    /// Below a partner.
    pub below_partner: u64,
    /// Below any other tenant.
    pub below_tenant: u64,
}

/// A tenant to be made.
pub struct NewTenant {
    /// Its name.
    pub name: Name,
    /// The tenant above it; the one in context if absent.
    pub parent: Option<TenantId>,
    /// Whether it manages tenants of customers.
    pub is_partner: bool,
    /// Whether it holds tenants of one customer together.
    pub is_organization: bool,
}

/// A change of a tenant; absent fields keep their values.
#[derive(Default)]
pub struct TenantChange {
    /// A new name.
    pub name: Option<Name>,
    /// Whether it can be entered, and whether anything below it can.
    pub enabled: Option<bool>,
    /// How old a secret may become in it and below it; cleared, there is no policy.
    pub max_secret_age: Patch<Duration>,
}

/// Reads a policy in seconds, as the API writes it.
///
/// # Errors
/// `BAD_USER_INPUT` outside one minute to ten years.
pub fn secret_age(seconds: i32) -> Result<Duration> {
    const RANGE: std::ops::RangeInclusive<u64> = 60..=315_360_000;
    let seconds = u64::try_from(seconds).ok().filter(|seconds| RANGE.contains(seconds));
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| Error::bad_input("maxSecretAge", "must be 60 to 315360000 seconds"))
}

/// The sort key of tenants; ties are broken by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrderBy {
    /// The id.
    Id,
    /// The name, letter case ignored.
    #[default]
    Name,
    /// When it was made.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
    /// The nearest partner; those without one first.
    Partner,
    /// The nearest organization; those without one first.
    Organization,
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The sort key.
    pub by: OrderBy,
    /// Largest first.
    pub descending: bool,
}

/// A filter of tenants: all given conditions must hold; a list matches any of its values.
#[derive(Default)]
pub struct TenantFilter {
    /// By id.
    pub ids: Option<Vec<TenantId>>,
    /// By name.
    pub names: Option<Vec<NamePattern>>,
    /// Whether it is a partner.
    pub is_partner: Option<bool>,
    /// Whether it is an organization.
    pub is_organization: Option<bool>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// At or below one of these.
    pub below: Option<Vec<TenantId>>,
    /// By the nearest partner.
    pub partners: Option<Vec<TenantId>>,
    /// By the nearest organization.
    pub organizations: Option<Vec<TenantId>>,
}

/// A position in an ordered list: the number of tenants before it, the value of the sort key, and
/// the id.
pub type Place = (u64, String, TenantId);

/// A piece of a list.
pub struct Page {
    /// The tenants.
    pub tenants: Vec<Tenant>,
    /// The number of tenants before the first of these.
    pub offset: u64,
    /// Whether there are more behind the last of these.
    pub has_more: bool,
}

impl OrderBy {
    /// The value that a tenant is ordered by, as a cursor holds it.
    pub fn value(self, tenant: &Tenant) -> String {
        let id = |id: Option<TenantId>| id.map_or_else(String::new, |id| id.to_string());
        let moment = |moment: Timestamp| moment.millis().to_string();
        match self {
            Self::Id => tenant.id.to_string(),
            Self::Name => tenant.name_folded.clone(),
            Self::CreatedAt => moment(tenant.created_at),
            Self::UpdatedAt => moment(tenant.updated_at),
            Self::Partner => id(tenant.partner_id),
            Self::Organization => id(tenant.organization_id),
        }
    }
}
