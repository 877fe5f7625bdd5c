//! The state of a tenant in Deep Security, checked before a key is minted for it.

use super::state::Keys;
use crate::auth::{RequestId, TenantScope};
use crate::deep_security::client::{self, ApiRequest};
use crate::deep_security::model::ObjectId;
use crate::deep_security::wire::{EnumText, Resource, Tenant};
use crate::error::{Error, ErrorCode, Result};
use crate::ids::random_uuid;
use crate::outbound::Operation;
use crate::upstreams::Connection;

/// The values of `tenantState` other than `active`, which an error message may repeat.
const STATES: [&str; 11] = [
    "undefined",
    "created",
    "suspended",
    "suspended-db-locked",
    "pending-deletion",
    "db-upgrade-failure",
    "confirmation-required",
    "cache-requires-initialization",
    "cache-initializing",
    "cache-ready-for-use",
    "cache-activating",
];

impl Keys {
    /// Requires that the tenant exists and is active, as the vendor's samples do
    /// (`docs/reference/deep-security-api.md`, section 7). The link records whether it exists.
    pub(super) async fn require_active(
        &self,
        connection: &Connection,
        tenant: ObjectId,
        operation: &Operation,
    ) -> Result<()> {
        let request = ApiRequest::get(["tenants".into(), tenant.into()]);
        let found = self.send_as_installation::<Tenant>(connection, &request, operation).await;
        let found = found.map_err(|error| match error.code() {
            ErrorCode::NotFound => client::no_such_tenant(&connection.installation_route(), tenant),
            _ => error,
        });
        let exists = match &found {
            Ok(_) => true,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(_) => return found.map(drop),
        };
        let request_id = RequestId::from(random_uuid(&*self.entropy));
        let scope = TenantScope::background(&self.authorizer, connection.tenant, request_id);
        self.upstreams.note_use(&scope, connection, exists).await;
        match found?.tenant_state.as_ref().map(EnumText::as_str) {
            Some("active") => Ok(()),
            state => {
                let state = state.filter(|state| STATES.contains(state)).unwrap_or("unknown");
                let message =
                    format!("the tenant is not active in Deep Security: its state is {state}");
                let error = Error::new(ErrorCode::UpstreamRejected, message);
                Err(client::with_upstream(error, &connection.installation_route(), Some(200)))
            }
        }
    }
}

/// The tenant of the installation, whose id becomes part of paths.
pub fn remote_tenant(connection: &Connection) -> Result<ObjectId> {
    let id = connection.remote_tenant_id.as_deref();
    id.and_then(|id| ObjectId::parse(Tenant::KIND, id).ok()).ok_or_else(|| {
        let message = "the tenant's link does not name a Deep Security tenant by a numeric id";
        let error = Error::new(ErrorCode::UpstreamRejected, message);
        client::with_upstream(error, &connection.installation_route(), None)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of an enumeration in the schema, as the vendor spells them.
    fn vendor_values(name: &str) -> Vec<String> {
        let schema = include_str!("../../../schema.graphql");
        let (_, rest) = schema.split_once(&format!("enum {name} {{\n")).unwrap();
        let (values, _) = rest.split_once("\n}").unwrap();
        let is_value = |line: &&str| {
            line.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') && !line.is_empty()
        };
        let values = values.lines().map(str::trim).filter(is_value);
        values.map(|value| value.to_ascii_lowercase().replace('_', "-")).collect()
    }

    #[test]
    fn states_are_those_of_the_schema_but_for_active_and_unknown() {
        let mut expected = vendor_values("DeepSecurityTenantState");
        expected.retain(|state| state != "active" && state != "unknown");
        expected.sort_unstable();
        let mut states = STATES.to_vec();
        states.sort_unstable();
        assert_eq!(states, expected);
    }
}
