//! Links a tenant to a simulated Deep Security manager.

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::names::Name;
use tenant_gateway::outbound::{AddressPolicy, BaseUrl};
use tenant_gateway::upstreams::{Credential, LinkCheck, NewLink, NewUpstream, System};
use tenant_gateway_simulators::deep_security::Simulator;

use crate::gateway::Server;
use crate::load::{ask_once, authorization, token_request};
use crate::support::Fixture;

/// The settings of a gateway without rate limits, as the baseline has none. Everything else is as
/// by default, including a log line per request.
pub const SETTINGS: [&str; 4] = [
    "--set=upstream.allow_private_addresses=true",
    "--set=upstream.calls_per_minute=0",
    "--set=rate_limit.client_per_second=0",
    "--set=rate_limit.tenant_per_second=0",
];

/// Registers the manager as an upstream of the partner, and links the tenant to one of its
/// customers.
pub async fn link(fixture: &Fixture, tenant: TenantId, manager: &Simulator, customer: &str) {
    link_each(fixture, manager, &manager.base_url, [(tenant, customer)]).await;
}

/// Registers the manager, at that URL, as an upstream of the partner, and links each tenant to its
/// customer.
pub async fn link_each(
    fixture: &Fixture,
    manager: &Simulator,
    base_url: &str,
    links: impl IntoIterator<Item = (TenantId, &str)>,
) {
    let core = &fixture.core;
    let owner = fixture.administrator.tenant;
    let new = NewUpstream {
        name: Name::parse("name", base_url).expect("a valid name"),
        system: System::DeepSecurity,
        base_url: BaseUrl::parse("baseURL", base_url, AddressPolicy { allow_private: true })
            .expect("loopback is allowed"),
        credential: Credential::SecretKey(manager.primary().secret_key.clone()),
        ca_certificate: None,
        time_zone: "UTC".to_owned(),
    };
    let upstream =
        core.upstreams.register(&core.operator(owner), new).await.expect("it can be registered");
    for (tenant, customer) in links {
        let remote_tenant_id = Some(manager.customer(customer).id.to_string());
        let new =
            NewLink { tenant, upstream: upstream.id, remote_tenant_id, check: LinkCheck::PENDING };
        core.upstreams.link(&core.operator(owner), new).await.expect("it can be linked");
    }
}

/// Requests a token for the partner's administrator.
pub fn token(fixture: &Fixture, gateway: &Server) -> String {
    let request = token_request(&authorization(&fixture.administrator.client_id, &fixture.secret));
    let answer: Value =
        serde_json::from_slice(&ask_once(gateway.address, &request)).unwrap_or(json!(null));
    answer["access_token"].as_str().expect("a token").to_owned()
}
