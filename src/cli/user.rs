//! `tenant-gateway user create|list|invite|disable|enable|unlink|reset-mfa`: for the operator of
//! the machine, who holds the database and the master key; no token is asked for, and the audit log
//! names the `operator`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::client::parse_role;
use super::scope::{Common, with_core};
use crate::app::Core;
use crate::config::Config;
use crate::error::Result;
use crate::names::{Name, NamePattern};
use crate::paging::PAGE_SIZE_MAX;
use crate::roles::Role;
use crate::users::{EmailAddress, Invited, NewUser, PublicUrl, User, UserChange, UserFilter};

/// The commands for users.
#[derive(Subcommand)]
pub enum Command {
    /// Make a user and print a one-time link by which the person sets a password.
    ///
    /// The link is shown this once.
    Create {
        /// The e-mail address by which the person signs in.
        #[arg(long)]
        email: String,
        /// The person's name; the part of the address before the @ if absent.
        #[arg(long)]
        name: Option<String>,
        /// A role, by UUID or name, such as TenantAuditor; may be repeated.
        #[arg(long = "role")]
        roles: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// List users.
    List {
        /// Only these: `%` stands for any text.
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Print a new one-time link for a user who has no password yet.
    Invite {
        /// UUID.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Disable a user and end their sessions, tokens and links.
    Disable {
        /// UUID.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Enable a user again.
    Enable {
        /// UUID.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Remove the link between a user and an account at an identity provider.
    ///
    /// It ends their sessions and tokens; the next sign-in at the provider links them anew, by the
    /// e-mail address.
    Unlink {
        /// UUID.
        id: String,
        #[command(flatten)]
        common: Common,
    },
    /// Remove the second factors and the password of a user and print a one-time link.
    ///
    /// By the link, which is shown this once, the person sets them anew.
    ResetMfa {
        /// UUID.
        id: String,
        #[command(flatten)]
        common: Common,
    },
}

/// Runs the command and prints the users that it found or changed, or their links.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    with_core(config, async |core| run_on(core, &public_url(config), command).await).await
}

/// The URL of the gateway in links: the public URL, else the address of the listener.
pub fn public_url(config: &Config) -> PublicUrl {
    let listener = || format!("http://{}", config.server.listen);
    PublicUrl(config.server.public_url.clone().unwrap_or_else(listener))
}

async fn run_on(core: &Core, url: &PublicUrl, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create { email, name, roles, common } => {
            let roles = roles.iter().map(|role| parse_role(role)).collect::<Result<_>>()?;
            let new = new_user("--email", &email, name.as_deref(), roles)?;
            let invited = core.users.invite(&common.scope(core).await?, &new).await?;
            Ok(common.output.object(&with_link(url, &invited))?)
        }
        Command::List { email, common } => list(core, email, common).await,
        Command::Invite { id, common } => {
            let invited = core.users.invite_again(&common.scope(core).await?, &id).await?;
            Ok(common.output.object(&with_link(url, &invited))?)
        }
        Command::Disable { id, common } => {
            set_enabled(core, &id, common, "disableUser", false).await
        }
        Command::Enable { id, common } => set_enabled(core, &id, common, "enableUser", true).await,
        Command::Unlink { id, common } => {
            let scope = common.scope(core).await?;
            core.single_sign_on.unlink(&core.users, &scope, &id).await?;
            Ok(common.output.object(&shown(&core.users.find(&scope, &id).await?))?)
        }
        Command::ResetMfa { id, common } => {
            let invited = core.users.reset_mfa(&common.scope(core).await?, &id).await?;
            Ok(common.output.object(&with_link(url, &invited))?)
        }
    }
}

/// The person that options name.
///
/// # Errors
/// `BAD_USER_INPUT` naming the option.
pub fn new_user(
    option: &str,
    email: &str,
    name: Option<&str>,
    roles: Vec<Role>,
) -> Result<NewUser> {
    let email = EmailAddress::parse(option, email)?;
    let local_part = email.as_str().split('@').next().unwrap_or_default();
    let name = Name::parse("--name", name.unwrap_or(local_part))?;
    Ok(NewUser { email, name, roles })
}

async fn set_enabled(
    core: &Core,
    id: &str,
    common: Common,
    operation: &'static str,
    enabled: bool,
) -> Result<(), Failure> {
    let change = UserChange { enabled: Some(enabled), ..UserChange::default() };
    let user = core.users.update(&common.scope(core).await?, id, operation, change).await?;
    Ok(common.output.object(&shown(&user))?)
}

async fn list(core: &Core, email: Option<String>, common: Common) -> Result<(), Failure> {
    let scope = common.scope(core).await?;
    let email = email.map(|email| NamePattern::parse("--email", &email, '%')).transpose()?;
    let filter = UserFilter { email, ..UserFilter::default() };
    let mut rows = Vec::new();
    let mut last = None;
    loop {
        let page = core.users.list(&scope, &filter, last.as_ref(), PAGE_SIZE_MAX).await?;
        rows.extend(page.iter().map(shown));
        if (page.len() as u64) < PAGE_SIZE_MAX {
            break;
        }
        last = page.last().map(|user| (user.row.email_folded.clone(), user.id()));
    }
    let columns = ["userID", "email", "name", "tenantID", "roles", "enabled", "lastSignInAt"];
    Ok(common.output.list(&columns, &rows)?)
}

fn shown(user: &User) -> Value {
    let roles =
        user.assignments.iter().filter_map(|held| Role::from_id(held.role_id)).map(Role::name);
    json!({
        "userID": user.id(),
        "email": user.row.email,
        "name": user.row.name,
        "tenantID": user.tenant(),
        "roles": roles.collect::<Vec<_>>().join(","),
        "enabled": user.row.enabled,
        "lastSignInAt": user.row.last_sign_in_at.map(|at| at.to_string()),
    })
}

fn with_link(url: &PublicUrl, invited: &Invited) -> Value {
    json!({
        "userID": invited.user.id(),
        "inviteURL": url.invitation(&invited.token),
        "expiresAt": invited.expires_at.to_string(),
    })
}
