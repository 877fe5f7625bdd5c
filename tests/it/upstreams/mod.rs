//! Upstreams, and the links of tenants to them.

mod asking;
mod connections;
mod credentials;
mod link_checks;
mod links;
mod registering;

use serde_json::{Value, json};

use crate::support::{Answer, Caller};

/// Registers an installation in the caller's context.
pub async fn register(caller: &Caller, system: &str) -> Value {
    let (url, credential) = match system {
        "DEEP_SECURITY" => {
            ("https://dsm.example.com:4119/api/", json!({ "secretKey": "2:registered" }))
        }
        _ => (
            "https://viis.example.com:7271",
            json!({ "basic": { "password": "registered:\"x\"" } }),
        ),
    };
    let input =
        json!({ "name": system, "system": system, "baseURL": url, "credential": credential });
    register_with(caller, input).await.field("registerUpstream")
}

pub async fn register_with(caller: &Caller, input: Value) -> Answer {
    let document = "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) {
        id name system baseURL ownerTenantID authentication timeZone links { id } createdAt
        updatedAt
    } }";
    caller.ask(document, json!({ "input": input })).await
}

pub async fn link(
    caller: &Caller,
    tenant: impl ToString,
    upstream: &Value,
    remote: Option<&str>,
) -> Answer {
    let document = "mutation($input: LinkTenantInput!) { linkTenant(input: $input) {
        id tenantID remoteTenantID upstream { id ownerTenantID } status { reachable lastErrorCode
        circuit }
    } }";
    let input = json!({
        "tenantID": tenant.to_string(),
        "upstreamID": upstream["id"],
        "remoteTenantID": remote,
    });
    caller.ask(document, json!({ "input": input })).await
}
