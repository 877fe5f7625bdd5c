//! Filters and orders of lists of tenants.

use async_graphql::{Enum, InputObject};

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::names::NamePattern;
use crate::tenants::model::{Order, OrderBy, TenantFilter};

/// Lists of ids and names are cut short before they become a statement of any length.
const LIST_MAX: usize = 1000;

/// The field to order tenants by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum TenantResultOrder {
    /// By id.
    Id,
    /// By name, case-insensitive. The default.
    Name,
    /// By creation time.
    CreatedAt,
    /// By the time of the last change.
    UpdatedAt,
    /// By the nearest partner.
    PartnerTenantId,
    /// By the nearest organization.
    OrganizationTenantId,
    /// Not supported: BAD_USER_INPUT.
    HasSupportEnabled,
}

/// A sort direction.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDir {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

/// A filter by label. Not supported.
#[derive(InputObject)]
pub struct TenantLabelMatcher {
    /// The label's name.
    name: Option<String>,
    /// The label's value.
    value: Option<String>,
}

/// A filter by subscription. Not supported.
#[derive(InputObject)]
pub struct SubscriptionMatcher {
    /// The subscription's name.
    name: Option<String>,
    /// The subscription's id.
    id: Option<String>,
    /// Whether the subscription is only requested.
    is_requested: Option<bool>,
}

/// Filters, order and page of `tenants`. A tenant must match every filter; within a list, any
/// entry. The input has every field that the Taegis SDK may send; unsupported ones are refused with
/// BAD_USER_INPUT, since ignoring a filter would return too much.
#[derive(Default, InputObject)]
pub struct TenantsQuery {
    /// By id.
    ids: Option<Vec<String>>,
    /// Returns tenants whose name matches. `*` matches any text; case-insensitive.
    names: Option<Vec<String>>,
    /// Returns partners, or tenants that are not.
    is_partner_root: Option<bool>,
    /// Returns organizations, or tenants that are not.
    is_organization: Option<bool>,
    /// Returns these tenants and those below them.
    hierarchies: Option<Vec<String>>,
    /// By the nearest partner.
    partners: Option<Vec<String>>,
    /// By the nearest organization.
    organizations: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    mdr_providers: Option<Vec<String>>,
    /// Returns tenants that are enabled, or that are not.
    enabled: Option<bool>,
    /// Not supported: BAD_USER_INPUT.
    support_enabled: Option<bool>,
    /// Returns tenants after this `cursorPos`.
    pub(super) after_cursor: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    before_cursor: Option<String>,
    /// The page size, 1 to 500. Default: 50.
    pub(super) count: Option<i32>,
    /// Not supported: BAD_USER_INPUT.
    cql: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    read_partner_roots: Option<bool>,
    /// Not supported: BAD_USER_INPUT.
    enabled_in_environments: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    labels_match: Option<Vec<TenantLabelMatcher>>,
    /// Not supported: BAD_USER_INPUT.
    subscriptions_match: Option<Vec<SubscriptionMatcher>>,
    /// The field to order by.
    order_by: Option<TenantResultOrder>,
    /// The sort direction.
    order_dir: Option<OrderDir>,
    /// Not supported: BAD_USER_INPUT.
    license_level: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    license_capabilities_any: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    license_capabilities_all: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    license_capabilities_none: Option<Vec<String>>,
    /// Not supported: BAD_USER_INPUT.
    #[graphql(deprecation = "use hierarchies")]
    hierarchy_paths: Option<Vec<String>>,
    /// Returns tenants after this `cursorPos`.
    #[graphql(deprecation = "use afterCursor")]
    pub(super) cursor_pos: Option<String>,
    /// Not supported: BAD_USER_INPUT.
    #[graphql(deprecation = "use enabledInEnvironments")]
    enabled_in: Option<Vec<String>>,
}

impl TenantsQuery {
    pub(super) fn refuse_what_is_not_offered(&self) -> Result<()> {
        fn any<T>(list: &Option<Vec<T>>) -> bool {
            list.as_ref().is_some_and(|list| !list.is_empty())
        }
        let given = [
            ("mdrProviders", any(&self.mdr_providers)),
            ("supportEnabled", self.support_enabled.is_some()),
            ("beforeCursor", self.before_cursor.is_some()),
            ("cql", self.cql.is_some()),
            ("readPartnerRoots", self.read_partner_roots == Some(true)),
            ("enabledInEnvironments", any(&self.enabled_in_environments)),
            ("labelsMatch", any(&self.labels_match)),
            ("subscriptionsMatch", any(&self.subscriptions_match)),
            ("licenseLevel", self.license_level.is_some()),
            ("licenseCapabilitiesAny", any(&self.license_capabilities_any)),
            ("licenseCapabilitiesAll", any(&self.license_capabilities_all)),
            ("licenseCapabilitiesNone", any(&self.license_capabilities_none)),
            ("hierarchyPaths", any(&self.hierarchy_paths)),
            ("enabledIn", any(&self.enabled_in)),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Error::bad_input(name, "is not offered by this gateway")),
            None => Ok(()),
        }
    }

    pub(super) fn order(&self) -> Result<Order> {
        let by = match self.order_by {
            None | Some(TenantResultOrder::Name) => OrderBy::Name,
            Some(TenantResultOrder::Id) => OrderBy::Id,
            Some(TenantResultOrder::CreatedAt) => OrderBy::CreatedAt,
            Some(TenantResultOrder::UpdatedAt) => OrderBy::UpdatedAt,
            Some(TenantResultOrder::PartnerTenantId) => OrderBy::Partner,
            Some(TenantResultOrder::OrganizationTenantId) => OrderBy::Organization,
            Some(TenantResultOrder::HasSupportEnabled) => {
                return Err(Error::bad_input(
                    "orderBy",
                    "HAS_SUPPORT_ENABLED is not offered by this gateway",
                ));
            }
        };
        Ok(Order { by, descending: self.order_dir == Some(OrderDir::Desc) })
    }

    pub(super) fn filter(&self) -> Result<TenantFilter> {
        let names = self.names.as_ref().map(|names| {
            at_most("names", names)?
                .iter()
                .map(|name| NamePattern::parse("names", name, '*'))
                .collect::<Result<Vec<_>>>()
        });
        Ok(TenantFilter {
            ids: ids("ids", self.ids.as_ref())?,
            names: names.transpose()?,
            is_partner: self.is_partner_root,
            is_organization: self.is_organization,
            enabled: self.enabled,
            below: ids("hierarchies", self.hierarchies.as_ref())?,
            partners: ids("partners", self.partners.as_ref())?,
            organizations: ids("organizations", self.organizations.as_ref())?,
        })
    }
}

fn at_most<'a, T>(argument: &str, list: &'a [T]) -> Result<&'a [T]> {
    if list.len() > LIST_MAX {
        return Err(Error::bad_input(argument, "must have at most 1000 entries"));
    }
    Ok(list)
}

/// A malformed id finds nothing, like a foreign one.
fn ids(argument: &str, list: Option<&Vec<String>>) -> Result<Option<Vec<TenantId>>> {
    let parse = |list: &Vec<String>| {
        Ok(at_most(argument, list)?.iter().filter_map(|id| id.parse().ok()).collect())
    };
    list.map(parse).transpose()
}
