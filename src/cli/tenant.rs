//! `tenant-gateway tenant create|list|enable|disable`: for the operator of the machine, who holds
//! the database and the master key; no token is asked for, and the audit log names the `operator`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::scope::{Common, parse_tenant_id, with_core};
use crate::app::Core;
use crate::config::Config;
use crate::names::{Name, NamePattern};
use crate::paging::PAGE_SIZE_MAX;
use crate::tenants::{NewTenant, Order, Tenant, TenantChange, TenantFilter};

/// A command that manages tenants.
#[derive(Subcommand)]
pub enum Command {
    /// Create a tenant.
    Create {
        /// The name.
        #[arg(long)]
        name: String,
        /// The tenant above it; that of --tenant if absent.
        #[arg(long, value_name = "ID")]
        parent: Option<String>,
        /// The tenant is a partner, which manages tenants of customers.
        #[arg(long)]
        partner: bool,
        /// The tenant is an organization, which holds the tenants of one customer together.
        #[arg(long, conflicts_with = "partner")]
        organization: bool,
        #[command(flatten)]
        common: Common,
    },
    /// List tenants: the one of --tenant and all below it.
    List {
        /// Only tenants with this name; `%` matches any text.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Open a disabled tenant again.
    Enable {
        /// The tenant's id.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Disable a tenant and all tenants below it.
    ///
    /// Their clients get no tokens, and no caller can enter them.
    Disable {
        /// The tenant's id.
        id: String,
        #[command(flatten)]
        common: Common,
    },
}

/// Runs the command and prints the tenants that it made, found or changed.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    with_core(config, async |core| run_on(core, command).await).await
}

async fn run_on(core: &Core, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { name, parent, partner, organization, common } => {
            let new = NewTenant {
                name: Name::parse("--name", &name)?,
                parent: parent.map(|id| parse_tenant_id("--parent", &id)).transpose()?,
                is_partner: partner,
                is_organization: organization,
            };
            let tenant = core.tenants.create(&common.scope(core).await?, new).await?;
            Ok(common.output.object(&shown(&tenant))?)
        }
        Command::List { name, common } => list(core, name, common).await,
        Command::Enable { id, common } => set_enabled(core, &id, true, common).await,
        Command::Disable { id, common } => set_enabled(core, &id, false, common).await,
    }
}

async fn list(core: &Core, name: Option<String>, common: Common) -> Result<(), Failure> {
    let scope = common.scope(core).await?;
    let name = name.map(|name| NamePattern::parse("--name", &name, '%')).transpose()?;
    let filter = TenantFilter { names: name.map(|name| vec![name]), ..TenantFilter::default() };
    let order = Order::default();
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = core.tenants.list(&scope, &filter, order, after, PAGE_SIZE_MAX).await?;
        rows.extend(page.tenants.iter().map(shown));
        let last = page.tenants.last().filter(|_| page.has_more);
        let Some(last) = last else { break };
        after = Some((rows.len() as u64 - 1, order.by.value(last), last.id));
    }
    Ok(common.output.list(&["id", "name", "parentID", "kind", "enabled"], &rows)?)
}

async fn set_enabled(core: &Core, id: &str, enabled: bool, common: Common) -> Result<(), Failure> {
    parse_tenant_id("ID", id)?;
    let change = TenantChange { enabled: Some(enabled), ..TenantChange::default() };
    let tenant = core.tenants.update(&common.scope(core).await?, id, change).await?;
    Ok(common.output.object(&shown(&tenant))?)
}

fn shown(tenant: &Tenant) -> Value {
    let kind = match (tenant.is_partner, tenant.is_organization) {
        (true, _) => "partner",
        (_, true) => "organization",
        _ => "tenant",
    };
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "parentID": tenant.parent_id,
        "kind": kind,
        "enabled": tenant.enabled,
    })
}
