//! Filters and orders of lists of clients.

use async_graphql::{Enum, ID, InputObject};

use super::inputs::limited;
use crate::clients::model::{ClientFilter, ClientOrder, SortBy};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::names::NamePattern;
use crate::roles::Role;

/// Filters, order and page of `clientsSearch`. A client must match every filter; within a list, any
/// entry.
#[derive(Default, InputObject)]
pub struct ClientsSearchInput {
    /// Returns clients whose name matches. `%` matches any text; case-insensitive.
    name: Option<String>,
    /// Returns clients with one of these ids: UUID or `client_id`.
    #[graphql(name = "clientIDs")]
    client_ids: Option<Vec<ID>>,
    /// Returns clients of this tenant.
    #[graphql(name = "tenantID")]
    tenant_id: Option<ID>,
    /// Returns clients with one of these roles, not expired.
    #[graphql(name = "roleIDs")]
    role_ids: Option<Vec<ID>>,
    /// Returns clients of these tenants.
    #[graphql(name = "tenantIDs")]
    tenant_ids: Option<Vec<ID>>,
    /// The page number, starting at 0.
    pub page_offset: Option<i32>,
    /// The page size, 1 to 100. Default: 50.
    pub per_page: Option<i32>,
    /// The field to sort by.
    sort_by: Option<ClientsSearchSortBy>,
    /// The sort direction.
    sort_order: Option<ClientsSearchSortOrder>,
    /// Returns clients that are enabled, or that are not.
    enabled: Option<bool>,
    /// Returns clients to which no token was issued since this time, in RFC 3339.
    unused_since: Option<String>,
}

/// The field to sort clients by.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ClientsSearchSortBy {
    /// By name, case-insensitive. The default.
    Name,
    /// By `client_id`.
    ClientId,
    /// By the alphabetically first name of its roles.
    RoleAssignmentName,
    /// By the number of tokens issued.
    TokenRequestCount,
    /// By the time of the last token.
    TokenRequestTime,
}

/// A sort direction.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum ClientsSearchSortOrder {
    /// Ascending. The default.
    Asc,
    /// Descending.
    Desc,
}

/// The filters that `clients` and `clientsSearch` share, as they come.
#[derive(Default)]
pub struct Filters {
    /// A pattern of the name.
    pub name: Option<String>,
    /// UUIDs or `client_id`s.
    pub client_ids: Option<Vec<ID>>,
    /// One tenant more to match.
    pub tenant_id: Option<ID>,
    /// Roles, any of which the client holds.
    pub role_ids: Option<Vec<ID>>,
    /// Tenants, any of which the client belongs to.
    pub tenant_ids: Option<Vec<ID>>,
    /// Whether the client is enabled.
    pub enabled: Option<bool>,
    /// A time since which no token was issued.
    pub unused_since: Option<String>,
}

impl Filters {
    /// Checks them.
    pub fn parse(self) -> Result<ClientFilter> {
        let pattern =
            self.name.as_deref().map(|name| NamePattern::parse("name", name, '%')).transpose()?;
        let one_tenant = self.tenant_id.map(|id| vec![id]);
        let lists = [one_tenant, limited("tenantIDs", self.tenant_ids)?];
        // An id that is malformed finds nothing, like a foreign one.
        let tenants = lists
            .into_iter()
            .flatten()
            .map(|ids| ids.iter().filter_map(|id| id.parse().ok()).collect());
        let client_ids = limited("clientIDs", self.client_ids)?;
        Ok(ClientFilter {
            name: pattern,
            client_ids: client_ids.map(|ids| {
                ids.into_iter().map(|id| id.0).filter(|id| !id.contains('\0')).collect()
            }),
            roles: limited("roleIDs", self.role_ids)?.map(known_roles),
            tenants: tenants.collect(),
            enabled: self.enabled,
            unused_since: self
                .unused_since
                .map(|text| Timestamp::parse("unusedSince", &text))
                .transpose()?,
            behind: None,
        })
    }
}

impl ClientsSearchInput {
    /// Takes the filters and the order apart.
    pub fn parse(self) -> Result<(ClientFilter, ClientOrder)> {
        let by = match self.sort_by {
            None | Some(ClientsSearchSortBy::Name) => SortBy::Name,
            Some(ClientsSearchSortBy::ClientId) => SortBy::ClientId,
            Some(ClientsSearchSortBy::RoleAssignmentName) => SortBy::RoleName,
            Some(ClientsSearchSortBy::TokenRequestCount) => SortBy::TokenRequestCount,
            Some(ClientsSearchSortBy::TokenRequestTime) => SortBy::TokenRequestTime,
        };
        let order =
            ClientOrder { by, descending: self.sort_order == Some(ClientsSearchSortOrder::Desc) };
        let filters = Filters {
            name: self.name,
            client_ids: self.client_ids,
            tenant_id: self.tenant_id,
            role_ids: self.role_ids,
            tenant_ids: self.tenant_ids,
            enabled: self.enabled,
            unused_since: self.unused_since,
        };
        Ok((filters.parse()?, order))
    }
}

/// The roles among these ids, for a filter: no client holds an unknown role.
fn known_roles(ids: Vec<ID>) -> Vec<Role> {
    ids.iter().filter_map(|id| Role::from_id(id.parse().ok()?)).collect()
}
