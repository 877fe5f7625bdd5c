//! Links tenants to simulated legacy systems.

use serde_json::{Value, json};
use tenant_gateway::ids::{TenantId, UpstreamId};
use tenant_gateway::names::Name;
use tenant_gateway::outbound::{AddressPolicy, BaseUrl};
use tenant_gateway::upstreams::{Credential, LinkCheck, NewLink, NewUpstream, System};
use tenant_gateway_simulators::deep_security::Simulator;
use tenant_gateway_simulators::integration_server;

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
    let credential = Credential::SecretKey(manager.primary().secret_key.clone());
    let upstream = register(fixture, System::DeepSecurity, base_url, credential).await;
    for (tenant, customer) in links {
        link_to(fixture, upstream, tenant, manager.customer(customer).id.to_string()).await;
    }
}

/// Registers an Integration Server, at that URL, and links the tenant to the one of that name.
pub async fn link_server(
    fixture: &Fixture,
    server: &integration_server::Simulator,
    base_url: &str,
    (tenant, name): (TenantId, &str),
) {
    let user_name = "multitenancy".to_owned();
    let credential = Credential::Basic { user_name, password: server.password() };
    let upstream = register(fixture, System::IntegrationServer, base_url, credential).await;
    link_to(fixture, upstream, tenant, server.tenant(name).id.clone()).await;
}

async fn register(
    fixture: &Fixture,
    system: System,
    base_url: &str,
    credential: Credential,
) -> UpstreamId {
    let (core, owner) = (&fixture.core, fixture.administrator.tenant);
    let new = NewUpstream {
        name: Name::parse("name", base_url).expect("a valid name"),
        system,
        base_url: BaseUrl::parse("baseURL", base_url, AddressPolicy { allow_private: true })
            .expect("loopback is allowed"),
        credential,
        ca_certificate: None,
        time_zone: "UTC".to_owned(),
    };
    let upstream = core.upstreams.register(&core.operator(owner), new).await;
    upstream.expect("it can be registered").id
}

async fn link_to(fixture: &Fixture, upstream: UpstreamId, tenant: TenantId, remote: String) {
    let (core, owner) = (&fixture.core, fixture.administrator.tenant);
    let remote_tenant_id = Some(remote);
    let new = NewLink { tenant, upstream, remote_tenant_id, check: LinkCheck::PENDING };
    core.upstreams.link(&core.operator(owner), new).await.expect("it can be linked");
}

/// Requests a token for the partner's administrator.
pub fn token(fixture: &Fixture, gateway: &Server) -> String {
    let request = token_request(&authorization(&fixture.administrator.client_id, &fixture.secret));
    let answer: Value =
        serde_json::from_slice(&ask_once(gateway.address, &request)).unwrap_or(json!(null));
    answer["access_token"].as_str().expect("a token").to_owned()
}
