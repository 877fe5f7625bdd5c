//! `tenant-gateway init`

use clap::Args;
use serde_json::json;

use super::output::{Format, complain};
use super::user::{new_user, public_url};
use super::{Failure, Output};
use crate::app::{Core, Environment};
use crate::config::Config;
use crate::names::Name;
use crate::roles::Role;

/// The names of the first tenant, its client and its first person.
#[derive(Args)]
pub struct Arguments {
    /// The name of the partner tenant.
    #[arg(long, default_value = "Partner")]
    tenant_name: String,
    /// The name of its administrator client.
    #[arg(long, default_value = "administrator")]
    client_name: String,
    /// The e-mail address of the first person, an administrator too.
    ///
    /// A one-time link is printed by which they set a password. Without the option there is no
    /// person yet.
    #[arg(long)]
    email: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Creates them and prints the secret and the link, once.
pub async fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let tenant_name = Name::parse("--tenant-name", &arguments.tenant_name)?;
    let client_name = Name::parse("--client-name", &arguments.client_name)?;
    let administrator = || vec![Role::Administrator];
    let person = arguments.email.as_deref();
    let person =
        person.map(|email| new_user("--email", email, None, administrator())).transpose()?;
    let core = Core::open(config, Environment::default()).await?;
    let made = match person {
        Some(person) => core.init_with_person(tenant_name, client_name, person).await,
        None => {
            let made = core.init(tenant_name, client_name).await;
            made.map(|(tenant, created)| (tenant, created, None))
        }
    };
    core.close().await;
    let (tenant, created, invited) = made?;
    let mut shown = json!({
        "tenantID": tenant.id,
        "clientID": created.client.row.client_id,
        "clientSecret": created.secret.as_ref().map(|secret| secret.expose()),
    });
    if let Some(invited) = invited {
        shown["userID"] = json!(invited.user.id());
        shown["inviteURL"] = json!(public_url(config).invitation(&invited.token));
    }
    arguments.output.object(&shown)?;
    if arguments.output.output == Format::Table {
        let link = if shown["inviteURL"].is_null() { "" } else { " The link works while it runs." };
        complain(&format!(
            "The secret is not shown again: keep it. `tenant-gateway serve` starts the gateway.{link}"
        ));
    }
    Ok(())
}
