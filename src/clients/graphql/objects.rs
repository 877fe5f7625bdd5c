//! Output types of clients.

use std::time::Duration;

use async_graphql::{ComplexObject, ID, SimpleObject};

use super::credentials::{ClientKey, ClientRotation, ClientSecret, text};
use crate::clients::entity::assignment;
use crate::clients::model::{self, Created};
use crate::clock::Timestamp;
use crate::roles::Role;

/// Declares fields under their present name and under the snake_case one that hand-written queries
/// of older scripts use. Both read one value, so that they cannot drift apart.
macro_rules! twins {
    ($object:ident {$(
        $(#[$doc:meta])*
        $camel:literal as $method:ident, once $snake:literal as $twin:ident ($reason:literal): $field:ident -> $value:ty;
    )*}) => {
        #[ComplexObject]
        impl $object {$(
            $(#[$doc])*
            #[graphql(name = $camel)]
            async fn $method(&self) -> $value {
                self.$field.clone()
            }

            $(#[$doc])*
            #[graphql(name = $snake, deprecation = $reason)]
            async fn $twin(&self) -> $value {
                self.$field.clone()
            }
        )*}
    };
}

/// An API client of the gateway. It has a `client_id`, one or two secrets, and roles in tenants.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct Client {
    /// The client's UUID. Arguments that take a client's id also accept its `client_id`.
    #[graphql(owned)]
    pub id: ID,
    /// The name; not necessarily unique.
    name: String,
    /// The ids of the roles that have not expired, separated by commas.
    roles: Option<String>,
    /// The tenant that is responsible for the client, if one was named.
    #[graphql(name = "ownerTenantID")]
    owner_tenant_id: Option<ID>,
    /// Always null: the gateway has one environment.
    environment: Option<String>,
    /// Whether the client can obtain and use tokens.
    enabled: bool,
    /// The valid secrets, newest first: one, or two during a rotation. `currentSubject` shows no
    /// secrets, keys, their use, or the client's creator to a token with reduced rights that cannot
    /// read clients in the client's tenant.
    secrets: Vec<ClientSecret>,
    /// The progress of a secret rotation; null unless two secrets are valid.
    rotation: Option<ClientRotation>,
    /// The public keys that authenticate the client in place of a secret, newest first; at most
    /// two.
    keys: Vec<ClientKey>,
    #[graphql(skip)]
    client_id: ID,
    #[graphql(skip)]
    tenant_id: ID,
    #[graphql(skip)]
    created_at: Option<String>,
    #[graphql(skip)]
    updated_at: Option<String>,
    #[graphql(skip)]
    created_by: Option<String>,
    #[graphql(skip)]
    updated_by: Option<String>,
    #[graphql(skip)]
    token_request_time: Option<String>,
    #[graphql(skip)]
    token_request_count: Option<i32>,
    #[graphql(skip)]
    role_assignments: Option<Vec<ClientRoleAssignment>>,
}

twins! {
    Client {
        /// The OAuth `client_id`: 32 characters of `[0-9A-Za-z]`.
        "clientID" as client_id_field, once "client_id" as client_id_twin ("use clientID"): client_id -> ID;
        /// The tenant that the client belongs to.
        "tenantID" as tenant_id_field, once "tenant_id" as tenant_id_twin ("use tenantID"): tenant_id -> ID;
        /// When the object was created, in RFC 3339.
        "createdAt" as created_at_field, once "created_at" as created_at_twin ("use createdAt"): created_at -> Option<String>;
        /// When the client was last changed, in RFC 3339. Using a secret is not a change.
        "updatedAt" as updated_at_field, once "updated_at" as updated_at_twin ("use updatedAt"): updated_at -> Option<String>;
        /// The creator of the client: a client's UUID, or `operator` for the command line.
        "createdBy" as created_by_field, once "created_by" as created_by_twin ("use createdBy"): created_by -> Option<String>;
        /// The subject that last changed the client, as in `createdBy`.
        "updatedBy" as updated_by_field, once "updated_by" as updated_by_twin ("use updatedBy"): updated_by -> Option<String>;
        /// When a token was last issued to the client, in RFC 3339; null if never. Other nodes of
        /// the deployment see it within seconds.
        "tokenRequestTime" as token_request_time_field, once "token_request_time" as token_request_time_twin
            ("use tokenRequestTime"): token_request_time -> Option<String>;
        /// The number of tokens issued to the client; stays at 2147483647 once reached.
        "tokenRequestCount" as token_request_count_field, once "token_request_count" as token_request_count_twin
            ("use tokenRequestCount"): token_request_count -> Option<i32>;
        /// The client's role assignments, including expired ones.
        "roleAssignments" as role_assignments_field, once "role_assignments" as role_assignments_twin
            ("use roleAssignments"): role_assignments -> Option<Vec<ClientRoleAssignment>>;
    }
}

/// A role that a client holds in a tenant and in all tenants below it.
#[derive(Clone, SimpleObject)]
#[graphql(complex)]
pub struct ClientRoleAssignment {
    /// The assignment's UUID.
    id: ID,
    #[graphql(skip)]
    tenant_id: ID,
    #[graphql(skip)]
    role_id: ID,
    #[graphql(skip)]
    role_name: Option<String>,
    #[graphql(skip)]
    expires_at: Option<String>,
}

twins! {
    ClientRoleAssignment {
        /// The tenant in which the role is held.
        "tenantID" as tenant_id_field, once "tenant_id" as tenant_id_twin ("use tenantID"): tenant_id -> ID;
        /// The role's UUID.
        "roleID" as role_id_field, once "role_id" as role_id_twin ("use roleID"): role_id -> ID;
        /// The role's name, such as `TenantAnalyst`.
        "roleName" as role_name_field, once "role_name" as role_name_twin ("use roleName"): role_name -> Option<String>;
        /// When the assignment expires, in RFC 3339; null if it does not.
        "expiresAt" as expires_at_field, once "expires_at" as expires_at_twin ("use expiresAt"): expires_at -> Option<String>;
    }
}

/// A client and its new secret.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct NewClient {
    /// The client.
    client: Client,
    /// Present if a repeated `createClient` returned the client of an earlier request, whose secret
    /// cannot be shown again.
    note: Option<&'static str>,
    #[graphql(skip)]
    client_secret: String,
}

twins! {
    NewClient {
        /// The new secret, shown only once. Empty if `note` is present.
        "clientSecret" as client_secret_field, once "client_secret" as client_secret_twin
            ("use clientSecret"): client_secret -> String;
    }
}

/// A page of clients.
#[derive(SimpleObject)]
pub struct ClientSearchResults {
    /// The number of clients on this page.
    #[graphql(name = "result_count")]
    pub(super) result_count: i32,
    /// The number of clients that match the filters.
    pub(super) total_count: i32,
    /// The number of clients without the filters.
    pub(super) total_unfiltered_count: i32,
    /// The clients.
    pub(super) results: Vec<Client>,
}

impl Client {
    /// The client as it is at that moment.
    pub fn at(now: Timestamp, token_lifetime: Duration, client: model::Client) -> Self {
        let live_roles =
            client.assignments.iter().filter(|held| held.expires_at.is_none_or(|end| now < end));
        let mut role_ids: Vec<String> = live_roles.map(|held| held.role_id.to_string()).collect();
        role_ids.dedup();
        let rotation = client.rotation(now, token_lifetime);
        let secrets = client.live_secrets(now).map(ClientSecret::from).collect();
        let row = client.row;
        Self {
            id: row.id.to_string().into(),
            name: row.name,
            roles: Some(role_ids.join(",")),
            owner_tenant_id: row.owner_tenant_id.map(|id| id.to_string().into()),
            environment: None,
            enabled: row.enabled,
            secrets,
            rotation: rotation.map(ClientRotation::from),
            keys: client.keys.iter().map(ClientKey::from).collect(),
            client_id: row.client_id.into(),
            tenant_id: row.tenant_id.to_string().into(),
            created_at: Some(text(row.created_at)),
            updated_at: Some(text(row.updated_at)),
            created_by: Some(row.created_by),
            updated_by: Some(row.updated_by),
            token_request_time: row.token_request_time.map(text),
            token_request_count: Some(i32::try_from(row.token_request_count).unwrap_or(i32::MAX)),
            role_assignments: Some(
                client.assignments.into_iter().map(ClientRoleAssignment::from).collect(),
            ),
        }
    }
}

impl Client {
    /// Only the client's identity: without credentials, their usage, and the names of other
    /// subjects.
    #[must_use]
    pub fn identity_alone(self) -> Self {
        Self {
            owner_tenant_id: None,
            secrets: Vec::new(),
            rotation: None,
            keys: Vec::new(),
            created_by: None,
            updated_by: None,
            token_request_time: None,
            token_request_count: None,
            ..self
        }
    }
}

impl NewClient {
    /// The answer that shows a secret.
    pub fn at(now: Timestamp, token_lifetime: Duration, created: Created) -> Self {
        let note =
            "this idempotencyKey was used before: the client exists, and its secret was shown then";
        Self {
            client: Client::at(now, token_lifetime, created.client),
            note: created.secret.is_none().then_some(note),
            client_secret: created
                .secret
                .map(|secret| secret.expose().to_owned())
                .unwrap_or_default(),
        }
    }
}

impl From<assignment::Model> for ClientRoleAssignment {
    fn from(held: assignment::Model) -> Self {
        Self {
            id: held.id.to_string().into(),
            tenant_id: held.tenant_id.to_string().into(),
            role_id: held.role_id.to_string().into(),
            role_name: Role::from_id(held.role_id).map(|role| role.name().to_owned()),
            expires_at: held.expires_at.map(text),
        }
    }
}
