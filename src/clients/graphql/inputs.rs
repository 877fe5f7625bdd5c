//! Input types, and their validation.

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Enum, ID, InputObject};

use serde_json::Value;

use crate::clients::model::{ClientFilter, ClientOrder, Grant, SortBy};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::graph::graphql::JsonValue;
use crate::ids::TenantId;
use crate::names::NamePattern;
use crate::roles::Role;
use crate::tokens::PublicKey;

/// A list of ids becomes a statement: it has a limit.
const LIST_MAX: usize = 1000;

/// Further input of `createClient`.
#[derive(Default, InputObject)]
pub struct CreateClientInput {
    /// The tenant that is responsible for the client. FORBIDDEN for a tenant that the caller cannot
    /// enter.
    #[graphql(name = "ownerTenantID")]
    pub owner_tenant_id: Option<ID>,
}

/// Changes of a client. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateClientInput {
    /// The new name, 1 to 255 characters without control characters; surrounding space is trimmed.
    pub name: Option<String>,
    /// Whether the client is enabled. Disabling it invalidates its tokens permanently, and it
    /// obtains no new ones.
    pub enabled: Option<bool>,
}

/// Input of `createClientKey`.
#[derive(InputObject)]
pub struct AddClientKeyInput {
    /// The public key as a JWK (RFC 7517): an object with `kty` and, depending on it, `crv` and `x`
    /// (Ed25519), `crv`, `x` and `y` (P-256), or `n` and `e` (RSA, 2048 to 8192 bits). `kid` is
    /// stored; `alg` and `use` must match the key if present. BAD_USER_INPUT for any other key, and
    /// for a key with a private part.
    #[graphql(deprecation = "use key; offered until 2027-12-31")]
    jwk: Option<JsonValue>,
    /// The public key. Exactly one of `key` and `jwk` is required.
    key: Option<JsonWebKeyInput>,
}

/// A public key as a JWK (RFC 7517): `kty` with `crv` and `x` for Ed25519, with `crv`, `x` and `y`
/// for P-256, with `n` and `e` for RSA of 2048 to 8192 bits. There are no fields for private parts:
/// never send a private key.
#[derive(InputObject)]
pub struct JsonWebKeyInput {
    /// The key type.
    kty: JsonWebKeyType,
    /// The curve, for OKP and EC.
    crv: Option<JsonWebKeyCurve>,
    /// The x coordinate or the public key in base64url, for EC and OKP.
    x: Option<String>,
    /// The y coordinate in base64url, for EC.
    y: Option<String>,
    /// The modulus in base64url, for RSA.
    n: Option<String>,
    /// The exponent in base64url, for RSA.
    e: Option<String>,
    /// The key id, up to 255 bytes.
    kid: Option<String>,
    /// The algorithm, matching the key type. Optional.
    alg: Option<JsonWebKeyAlgorithm>,
}

/// The type of a key.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JsonWebKeyType {
    /// Octet key pair: Ed25519.
    #[graphql(name = "OKP")]
    Okp,
    /// Elliptic curve: P-256.
    #[graphql(name = "EC")]
    Ec,
    /// RSA.
    #[graphql(name = "RSA")]
    Rsa,
}

/// The curve of a key.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JsonWebKeyCurve {
    /// `Ed25519`.
    #[graphql(name = "ED25519")]
    Ed25519,
    /// `P-256`.
    #[graphql(name = "P_256")]
    P256,
}

/// The signature algorithm of a key.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JsonWebKeyAlgorithm {
    /// Ed25519 (RFC 8037).
    #[graphql(name = "EdDSA")]
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 7518).
    #[graphql(name = "ES256")]
    Es256,
    /// RSA with PKCS #1 v1.5 and SHA-256 (RFC 7518).
    #[graphql(name = "RS256")]
    Rs256,
    /// An algorithm that this version of the gateway does not know; `algorithmText` has it. Not
    /// accepted as input.
    #[graphql(name = "UNKNOWN")]
    Unknown,
}

impl JsonWebKeyAlgorithm {
    /// The algorithm of that name.
    pub fn read(name: &str) -> Self {
        let known = Self::items().iter().find(|item| item.name == name);
        known.map_or(Self::Unknown, |item| item.value)
    }

    fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl JsonWebKeyInput {
    fn to_json(&self) -> Value {
        let kty = match self.kty {
            JsonWebKeyType::Okp => "OKP",
            JsonWebKeyType::Ec => "EC",
            JsonWebKeyType::Rsa => "RSA",
        };
        let crv = self.crv.map(|crv| match crv {
            JsonWebKeyCurve::Ed25519 => "Ed25519",
            JsonWebKeyCurve::P256 => "P-256",
        });
        let members = [
            ("crv", crv),
            ("x", self.x.as_deref()),
            ("y", self.y.as_deref()),
            ("n", self.n.as_deref()),
            ("e", self.e.as_deref()),
            ("kid", self.kid.as_deref()),
            ("alg", self.alg.map(JsonWebKeyAlgorithm::name)),
        ];
        let given = members
            .into_iter()
            .filter_map(|(name, text)| text.map(|text| (name.to_owned(), text.into())));
        given.chain([("kty".to_owned(), kty.into())]).collect::<serde_json::Map<_, _>>().into()
    }
}

impl AddClientKeyInput {
    /// Checks the key.
    pub fn parse(self) -> Result<PublicKey> {
        match (self.key, self.jwk) {
            (Some(key), None) => PublicKey::parse("input.key", &key.to_json()),
            (None, Some(jwk)) => PublicKey::parse("input.jwk", &jwk.0),
            _ => Err(Error::bad_input("input", "must have exactly one of key and jwk")),
        }
    }
}

/// A role to assign to a client.
#[derive(InputObject)]
pub struct ClientRoleAssignmentInput {
    /// The tenant in which the role is assigned. Default: the tenant in context.
    #[graphql(name = "tenantID")]
    tenant_id: Option<ID>,
    /// The role's UUID.
    #[graphql(name = "roleID")]
    role_id: Option<ID>,
    /// When the assignment expires, in RFC 3339 and in the future. Default: never, but no later
    /// than the caller's own grant of the permissions of the role.
    expires_at: Option<String>,
    /// The tenant in which the role is assigned.
    #[graphql(name = "tenant_id", deprecation = "use tenantID")]
    tenant_id_twin: Option<ID>,
    /// The role's UUID.
    #[graphql(name = "role_id", deprecation = "use roleID")]
    role_id_twin: Option<ID>,
    /// When it expires.
    #[graphql(name = "expires_at", deprecation = "use expiresAt")]
    expires_at_twin: Option<String>,
}

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
    pub name: Option<String>,
    pub client_ids: Option<Vec<ID>>,
    pub tenant_id: Option<ID>,
    pub role_ids: Option<Vec<ID>>,
    pub tenant_ids: Option<Vec<ID>>,
    pub enabled: Option<bool>,
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

impl ClientRoleAssignmentInput {
    /// Checks it. Both spellings of a field may be given if they agree.
    pub fn parse(self) -> Result<Grant> {
        let tenant =
            agreed("tenantID", self.tenant_id.map(|id| id.0), self.tenant_id_twin.map(|id| id.0))?;
        let role = agreed("roleID", self.role_id.map(|id| id.0), self.role_id_twin.map(|id| id.0))?;
        let expires_at = agreed("expiresAt", self.expires_at, self.expires_at_twin)?;
        Ok(Grant {
            tenant: tenant.map(|id| parse_tenant(&id)).transpose()?,
            role: Role::parse(
                "roleID",
                &role.ok_or_else(|| Error::bad_input("roleID", "is required"))?,
            )?,
            expires_at: expires_at.map(|text| Timestamp::parse("expiresAt", &text)).transpose()?,
        })
    }
}

fn agreed(argument: &str, present: Option<String>, twin: Option<String>) -> Result<Option<String>> {
    match (present, twin) {
        (Some(one), Some(two)) if one != two => {
            Err(Error::bad_input(argument, "is given twice and differently"))
        }
        (one, two) => Ok(one.or(two)),
    }
}

/// A tenant id from a caller. A malformed id is refused like a foreign tenant.
///
/// # Errors
/// `FORBIDDEN`.
pub fn parse_tenant(id: &str) -> Result<TenantId> {
    id.parse().map_err(|_| {
        Error::forbidden("this needs the right to manage clients in the tenant of the role")
    })
}

/// The roles with these ids, each once.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument` for an id that is no role's.
pub fn parse_roles(argument: &'static str, ids: &[ID]) -> Result<Vec<Role>> {
    let mut roles = Vec::new();
    for id in ids {
        let role = Role::parse(argument, id)?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    Ok(roles)
}

/// The roles among these ids, for a filter: no client holds an unknown role.
fn known_roles(ids: Vec<ID>) -> Vec<Role> {
    ids.iter().filter_map(|id| Role::from_id(id.parse().ok()?)).collect()
}

/// A list that is not too long.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn limited<T>(argument: &'static str, list: Option<Vec<T>>) -> Result<Option<Vec<T>>> {
    match list {
        Some(list) if list.len() > LIST_MAX => {
            Err(Error::bad_input(argument, "must have at most 1000 entries"))
        }
        list => Ok(list),
    }
}
