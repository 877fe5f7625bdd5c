//! `tenant-gateway init`

use clap::Args;
use serde_json::json;

use super::{Failure, Output};
use crate::app::{Core, Environment};
use crate::config::Config;
use crate::names::Name;

/// The names of the first tenant and its client.
#[derive(Args)]
pub struct Arguments {
    /// The name of the partner tenant.
    #[arg(long, default_value = "Partner")]
    tenant_name: String,
    /// The name of its administrator client.
    #[arg(long, default_value = "administrator")]
    client_name: String,
    #[command(flatten)]
    output: Output,
}

/// Creates both and prints the secret, once.
pub async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let tenant_name = Name::parse("--tenant-name", &arguments.tenant_name)?;
    let client_name = Name::parse("--client-name", &arguments.client_name)?;
    let core = Core::open(config, Environment::default()).await?;
    let made = core.init(tenant_name, client_name).await;
    core.close().await;
    let (tenant, created) = made?;
    Ok(arguments.output.object(&json!({
        "tenantID": tenant.id,
        "clientID": created.client.row.client_id,
        "clientSecret": created.secret.as_ref().map(|secret| secret.expose()),
    }))?)
}
