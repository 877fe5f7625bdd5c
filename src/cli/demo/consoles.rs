//! The legacy consoles of the demo: stand-ins in the same process, with a tenant for each customer.

use tenant_gateway_simulators::deep_security::{self, TenantSeed};

use crate::app::Core;
use crate::cli::Failure;
use crate::error::Error;
use crate::names::Name;
use crate::outbound::BaseUrl;
use crate::tenants::Tenant;
use crate::upstreams::{Credential, NewLink, NewUpstream, System, Upstream};

/// The customer whose tenant at the Deep Security manager is suspended.
const SUSPENDED: &str = "Northwind Traders";

/// The stand-ins; they end when this is dropped.
pub struct Consoles {
    deep_security: deep_security::Simulator,
}

impl Consoles {
    /// Starts them, registers them as the partner's and links the customers.
    ///
    /// # Errors
    /// If no port is free, or the database refuses.
    pub async fn start(core: &Core, partner: &Tenant, customers: &[Tenant]) -> Result<Self, Failure> {
        let deep_security = start_deep_security(customers).await?;
        let credential = Credential::SecretKey(deep_security.primary().secret_key.clone());
        let upstream = register(core, partner, System::DeepSecurity, &deep_security.base_url, credential).await?;
        for customer in customers {
            let remote = deep_security.customer(&customer.name).id.to_string();
            link(core, partner, customer, &upstream, remote).await?;
        }
        Ok(Self { deep_security })
    }

    /// Where the Deep Security manager stands.
    pub fn deep_security_url(&self) -> &str {
        &self.deep_security.base_url
    }
}

async fn start_deep_security(customers: &[Tenant]) -> Result<deep_security::Simulator, Failure> {
    let seed = |customer: &Tenant| {
        let seed = TenantSeed::named(&customer.name).computers(25);
        if customer.name == SUSPENDED { seed.state("suspended") } else { seed }
    };
    let config = deep_security::Config { tenants: customers.iter().map(seed).collect(), ..Default::default() };
    Ok(deep_security::Simulator::start(config).await?)
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
    let new = NewLink { tenant: customer.id, upstream: upstream.id, remote_tenant_id: Some(remote_tenant_id) };
    core.upstreams.link(&core.operator(partner.id), new).await.map(drop)
}
