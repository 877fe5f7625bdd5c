//! The Integration Server: its client, against scripted connections and the simulator, and its
//! GraphQL fields.

mod connections;
pub mod graph;
mod simulated;

use std::sync::Arc;
use std::time::Duration;

use tenant_gateway::clock::{Clock as _, SystemClock};
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::ids::{TenantId, UpstreamId};
use tenant_gateway::integration_server::client::Client;
use tenant_gateway::integration_server::model::{
    Administrator, AdministratorPassword, NewTenant, NewTenantKind, RemoteId, WireText,
};
use tenant_gateway::outbound::{
    AddressPolicy, Allowance, BaseUrl, Endpoint, Operation, Outbound, Settings,
};
use tenant_gateway::upstreams::{Connection, Credential, LinkState, System};
use tokio::time::Instant;

/// A client of a test server.
fn client(base_url: &str, password: &str) -> Client {
    let addresses = AddressPolicy { allow_private: true };
    let settings = Settings {
        addresses,
        timeout: Duration::from_secs(15),
        retries: 2,
        calls_per_minute: 0,
        ..Settings::default()
    };
    let endpoint = Endpoint {
        upstream: UpstreamId("0b6f3c0e-5d0f-4f0a-9b63-5f0f0f6f8a11".parse().unwrap()),
        owner: TenantId("3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb".parse().unwrap()),
        system: "INTEGRATION_SERVER",
        revision: 1,
        base_url: BaseUrl::parse("baseURL", base_url, addresses).unwrap(),
        ca_certificate: None,
    };
    let connection = Connection {
        tenant: TenantId("3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb".parse().unwrap()),
        link: None,
        remote_tenant_id: None,
        verification: LinkState::Pending,
        owns: true,
        system: System::IntegrationServer,
        endpoint: Arc::new(endpoint),
        credential: Arc::new(Credential::basic(None, password.to_owned()).unwrap()),
        time_zone: "UTC".into(),
    };
    let answers = tenant_gateway::budget::Pool::new("upstream_answers", 64 * 1024 * 1024);
    let metrics = Arc::new(tenant_gateway::metrics::Metrics::new(false, SystemClock.now()));
    let outbound =
        Outbound::new(settings, answers, Arc::new(SystemClock), Arc::new(SystemEntropy), metrics);
    Client::new(Arc::new(outbound), &connection).unwrap()
}

/// An operation with a larger call budget than any test needs.
fn operation() -> Operation {
    let allowance = Allowance {
        calls_per_tenant: 10_000,
        calls: 10_000,
        concurrent_tenants: 8,
        tenant_deadline: Duration::from_mins(1),
    };
    Operation::new("request-1".into(), None, allowance, Instant::now() + Duration::from_mins(1))
}

fn id(text: &str) -> RemoteId {
    RemoteId::read(text).unwrap()
}

/// A complete tenant, with an administrator whose password is `Good-Pass1`.
fn complete(name: &str) -> NewTenant {
    let password = AdministratorPassword::parse("password", "Good-Pass1".into()).unwrap();
    let administrator =
        Administrator { name: WireText::name("name", "new-admin").unwrap(), password };
    NewTenant {
        name: WireText::name("name", name).unwrap(),
        description: None,
        user_data: Some(WireText::parse("userData", "a]]>b <tenant/> & \r\n").unwrap()),
        preferred_address: Some("192.0.2.9".parse().unwrap()),
        kind: NewTenantKind::Complete(administrator),
    }
}
