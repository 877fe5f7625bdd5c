//! `tenant-gateway client create|list|rotate|delete`: for the operator of the machine, who holds
//! the database and the master key; no token is asked for, and the audit log names the `operator`.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::scope::{Common, with_core};
use crate::app::Core;
use crate::clients::{Client, ClientFilter, ClientOrder, Created, DEFAULT_ROLE, NewClient};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::names::{Name, NamePattern};
use crate::paging::PAGE_SIZE_MAX;
use crate::roles::Role;

/// Commands for clients.
#[derive(Subcommand)]
pub enum Command {
    /// Make a client and print its secret, once.
    Create {
        /// The name.
        #[arg(long)]
        name: String,
        /// A role, by UUID or name, such as TenantAuditor; may be repeated. TenantAnalyst if none
        /// is given.
        #[arg(long = "role")]
        roles: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// List clients.
    List {
        /// Only clients with this name; `%` matches any text.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Give a client a new secret and print it, once.
    Rotate {
        /// UUID or client_id.
        id: String,
        /// How long the secret before works on, in seconds.
        #[arg(long, default_value_t = 0)]
        grace_period_seconds: u64,
        #[command(flatten)]
        common: Common,
    },
    /// Delete a client.
    Delete {
        /// UUID or client_id.
        id: String,
        #[command(flatten)]
        common: Common,
    },
}

/// Runs the command and prints the clients that it created, found or changed.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    with_core(config, async |core| run_on(core, command).await).await
}

async fn run_on(core: &Core, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { name, roles, common } => {
            let roles = match roles.as_slice() {
                [] => vec![DEFAULT_ROLE],
                roles => roles.iter().map(|role| parse_role(role)).collect::<Result<_>>()?,
            };
            let new = NewClient {
                name: Name::parse("--name", &name)?,
                roles,
                owner: None,
                idempotency_key: None,
            };
            let created = core.clients.create(&common.scope(core).await?, new).await?;
            Ok(common.output.object(&with_secret(&created))?)
        }
        Command::List { name, common } => list(core, name, common).await,
        Command::Rotate { id, grace_period_seconds, common } => {
            let grace = Duration::from_secs(grace_period_seconds);
            let most = core.clients.limits().grace_period_max;
            if grace > most {
                let must =
                    format!("must be 0 to {}, as clients.grace_period_max says", most.as_secs());
                return Err(Error::bad_input("--grace-period-seconds", &must).into());
            }
            let created = core.clients.rotate(&common.scope(core).await?, &id, grace).await?;
            Ok(common.output.object(&with_secret(&created))?)
        }
        Command::Delete { id, common } => {
            let client = core.clients.delete(&common.scope(core).await?, &id).await?;
            Ok(common.output.object(&shown(&client))?)
        }
    }
}

async fn list(core: &Core, name: Option<String>, common: Common) -> Result<(), Failure> {
    let scope = common.scope(core).await?;
    let name = name.map(|name| NamePattern::parse("--name", &name, '%')).transpose()?;
    let mut filter = ClientFilter { name, ..ClientFilter::default() };
    let mut rows = Vec::new();
    loop {
        let page =
            core.clients.list(&scope, &filter, ClientOrder::default(), 0, PAGE_SIZE_MAX).await?;
        rows.extend(page.iter().map(shown));
        let last = page.last().filter(|_| page.len() as u64 == PAGE_SIZE_MAX);
        let Some(last) = last else { break };
        filter.behind = Some((last.row.name_folded.clone(), last.row.id));
    }
    Ok(common.output.list(&["id", "clientID", "name", "tenantID", "roles", "enabled"], &rows)?)
}

/// Parses a role given by UUID or name.
///
/// # Errors
/// `BAD_USER_INPUT` if there is none.
pub fn parse_role(text: &str) -> Result<Role> {
    match Role::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(text)) {
        Some(role) => Ok(role),
        None => Role::parse("--role", text).map_err(|_| {
            let names = Role::ALL.map(Role::name).join(", ");
            Error::bad_input("--role", &format!("no such role; the roles are {names}"))
        }),
    }
}

fn shown(client: &Client) -> Value {
    let roles =
        client.assignments.iter().filter_map(|held| Role::from_id(held.role_id)).map(Role::name);
    json!({
        "id": client.row.id,
        "clientID": client.row.client_id,
        "name": client.row.name,
        "tenantID": client.row.tenant_id,
        "roles": roles.collect::<Vec<_>>().join(","),
        "enabled": client.row.enabled,
    })
}

fn with_secret(created: &Created) -> Value {
    let mut shown = shown(&created.client);
    shown["clientSecret"] = created.secret.as_ref().map(|secret| secret.expose()).into();
    shown
}
