//! The legacy consoles of the demo: simulators in the same process, with a tenant per customer.

use std::time::Duration;

use tenant_gateway_simulators::integration_server::TaskTiming;
use tenant_gateway_simulators::{deep_security, integration_server};

use crate::app::Core;
use crate::cli::Failure;
use crate::error::Error;
use crate::names::Name;
use crate::outbound::BaseUrl;
use crate::tenants::Tenant;
use crate::upstreams::{Credential, LinkCheck, NewLink, NewUpstream, System, Upstream};

/// The customer whose tenant at the Deep Security manager is suspended.
const SUSPENDED: &str = "Northwind Traders";

/// The customer without a tenant at the Integration Server, so that one can be created.
const UNKNOWN: &str = "Northwind Traders";

/// How long tasks of the Integration Server take: their progress goes through several values that a
/// person can watch, also where the work has one stage, as a report has.
const TASKS: TaskTiming = TaskTiming {
    waiting: Duration::from_millis(500),
    stage: Duration::from_secs(2),
    stopping: Duration::from_millis(500),
};

/// The simulators; dropping this stops them.
pub struct Consoles {
    deep_security: deep_security::Simulator,
    integration_server: integration_server::Simulator,
}

impl Consoles {
    /// Starts them, registers them for the partner, and links the customers.
    ///
    /// # Errors
    /// If no port is free, or the database fails.
    pub async fn start(
        core: &Core,
        partner: &Tenant,
        customers: &[Tenant],
    ) -> Result<Self, Failure> {
        let deep_security = start_deep_security(customers).await?;
        let credential = Credential::SecretKey(deep_security.primary().secret_key.clone());
        let upstream =
            register(core, partner, System::DeepSecurity, &deep_security.base_url, credential)
                .await?;
        for customer in customers {
            let remote = deep_security.customer(&customer.name).id.to_string();
            link(core, partner, customer, &upstream, remote).await?;
        }
        let known: Vec<&Tenant> =
            customers.iter().filter(|customer| customer.name != UNKNOWN).collect();
        let integration_server = start_integration_server(&known).await?;
        let credential = Credential::basic(None, integration_server.password())?;
        let url = &integration_server.base_url;
        let upstream = register(core, partner, System::IntegrationServer, url, credential).await?;
        for customer in known {
            let remote = integration_server.tenant(&customer.name).id.clone();
            link(core, partner, customer, &upstream, remote).await?;
        }
        Ok(Self { deep_security, integration_server })
    }

    /// The base URL of the Integration Server.
    pub fn integration_server_url(&self) -> &str {
        &self.integration_server.base_url
    }

    /// The base URL of the Deep Security manager.
    pub fn deep_security_url(&self) -> &str {
        &self.deep_security.base_url
    }
}

async fn start_deep_security(customers: &[Tenant]) -> Result<deep_security::Simulator, Failure> {
    let seed = |customer: &Tenant| {
        let seed = deep_security::TenantSeed::named(&customer.name).computers(25);
        if customer.name == SUSPENDED { seed.state("suspended") } else { seed }
    };
    let config = deep_security::Config {
        tenants: customers.iter().map(seed).collect(),
        ..Default::default()
    };
    Ok(deep_security::Simulator::start(config).await?)
}

async fn start_integration_server(
    customers: &[&Tenant],
) -> Result<integration_server::Simulator, Failure> {
    use integration_server::{Config, TenantSeed};
    let seed = |customer: &&Tenant| TenantSeed::complete(&customer.name).machines(5);
    let config = Config { tenants: customers.iter().map(seed).collect(), ..Config::default() };
    Ok(integration_server::Simulator::start(config.task_timing(TASKS)).await?)
}

async fn register(
    core: &Core,
    partner: &Tenant,
    system: System,
    url: &str,
    credential: Credential,
) -> Result<Upstream, Error> {
    let name = match system {
        System::DeepSecurity => "Deep Security",
        System::IntegrationServer => "Integration Server",
    };
    let new = NewUpstream {
        name: Name::parse("name", name)?,
        system,
        base_url: BaseUrl::parse("baseURL", url, core.upstreams.policy())?,
        credential,
        ca_certificate: None,
        time_zone: "UTC".to_owned(),
    };
    core.upstreams.register(&core.operator(partner.id), new).await
}

async fn link(
    core: &Core,
    partner: &Tenant,
    customer: &Tenant,
    upstream: &Upstream,
    remote_tenant_id: String,
) -> Result<(), Error> {
    let new = NewLink {
        tenant: customer.id,
        upstream: upstream.id,
        remote_tenant_id: Some(remote_tenant_id),
        // The stand-in was seeded with it.
        check: LinkCheck::Verified,
    };
    core.upstreams.link(&core.operator(partner.id), new).await.map(drop)
}
