//! `tenant-gateway demo`: a gateway with data to try, on a database that disappears with it.

mod browser;
mod consoles;
mod introduction;

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use self::consoles::Consoles;
use self::introduction::introduction;
use super::output::{Format, print};
use super::serve::told_to_stop_or_hung_up;
use super::{Failure, Output};
use crate::app::{App, Core, Environment, Listeners};
use crate::clients::Created;
use crate::config::{Config, ServerConfig};
use crate::error::Error;
use crate::http::{PlaygroundCredentials, playground};
use crate::names::Name;
use crate::tenants::{NewTenant, Tenant};

/// How often the tasks of the stand-ins are polled.
const TASK_POLL: Duration = Duration::from_millis(400);

const CUSTOMERS: [&str; 3] = ["Contoso Retail", "Fabrikam Energy", "Northwind Traders"];

/// How the demo prints what it created.
#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    output: Output,
    /// Open the playground in a browser, signed in as the administrator.
    #[arg(long)]
    open: bool,
}

/// Serves until it is stopped by a signal; nothing is left behind.
pub async fn run(mut config: Config, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.open && !playground::is_built() {
        return Err(Error::bad_input(
            "--open",
            "this build does not include the playground; install Node.js 18 or newer with npm and \
             build with TENANT_GATEWAY_BUILD_PLAYGROUND=on",
        )
        .into());
    }
    let folder = private_folder()?;
    folder.path().clone_into(&mut config.data.dir);
    config.database.url = None;
    config.playground.enabled = true;
    // The simulators of the consoles listen on loopback.
    config.upstream.allow_private_addresses = true;
    // Their tasks take seconds, and a person watches.
    config.upstream.task_poll_min = config.upstream.task_poll_min.min(TASK_POLL);
    config.upstream.task_poll_max = config.upstream.task_poll_max.min(TASK_POLL);
    let stop = told_to_stop_or_hung_up()?;
    let listeners = bind(&mut config).await?;
    let app = App::build(&config, listeners.issuer(&config), Environment::default()).await?;
    let (partner, created) = app.core().init(name("Partner")?, name("administrator")?).await?;
    let customers = customers(app.core(), &partner).await?;
    let consoles = Consoles::start(app.core(), &partner, &customers).await?;
    let url = listeners.issuer(&config);
    let made = describe(&url, &partner, &customers, &consoles, &created);
    match arguments.output.output {
        Format::Json => arguments.output.object(&made)?,
        Format::Table => print(&introduction(&made))?,
    }
    if arguments.open {
        if arguments.output.output == Format::Table {
            print("The playground opens in a browser, signed in as the administrator.\n\n")?;
        }
        let file = offer_sign_in(&app, created, folder.path(), &url)?;
        browser::open(file, &url);
    }
    Ok(app.serve(&config, listeners, stop).await?)
}

/// A folder that only its owner can read, and that disappears with the demo.
fn private_folder() -> std::io::Result<tempfile::TempDir> {
    let mut folder = tempfile::Builder::new();
    folder.prefix("tenant-gateway-demo-").permissions(Permissions::from_mode(0o700)).tempdir()
}

/// Offers the administrator's credentials to the browser that opens the file.
fn offer_sign_in(
    app: &App,
    created: Created,
    folder: &Path,
    url: &str,
) -> Result<PathBuf, Failure> {
    let client_secret = created.secret.ok_or_else(|| Error::internal("no secret was made"))?;
    let client_id = created.client.row.client_id;
    let code = app.offer_sign_in(PlaygroundCredentials { client_id, client_secret });
    Ok(browser::write_sign_in_file(folder, url, &code)?)
}

/// Binds the configured address, or a free port if the default one is taken.
async fn bind(config: &mut Config) -> Result<Listeners, Failure> {
    let default = ServerConfig::default().listen;
    if config.server.listen == default && std::net::TcpListener::bind(default).is_err() {
        config.server.listen = SocketAddr::new(default.ip(), 0);
    }
    Ok(Listeners::bind(config).await?)
}

async fn customers(core: &Core, partner: &Tenant) -> Result<Vec<Tenant>, Error> {
    let scope = core.operator(partner.id);
    let mut customers = Vec::new();
    for customer in CUSTOMERS {
        let new = NewTenant {
            name: name(customer)?,
            parent: None,
            is_partner: false,
            is_organization: true,
        };
        customers.push(core.tenants.create(&scope, new).await?);
    }
    Ok(customers)
}

fn name(text: &str) -> Result<Name, Error> {
    Name::parse("name", text)
}

fn describe(
    url: &str,
    partner: &Tenant,
    customers: &[Tenant],
    consoles: &Consoles,
    created: &Created,
) -> Value {
    let tenant = |tenant: &Tenant| json!({ "id": tenant.id, "name": tenant.name });
    json!({
        "url": url,
        "graphqlURL": format!("{url}/graphql"),
        "tokenURL": format!("{url}/oauth2/token"),
        "playgroundURL": playground::is_built().then(|| format!("{url}{}", playground::PATH)),
        "tenantID": partner.id,
        "clientID": created.client.row.client_id,
        "clientSecret": created.secret.as_ref().map(|secret| secret.expose()),
        "partner": tenant(partner),
        "customers": customers.iter().map(tenant).collect::<Vec<_>>(),
        "deepSecurityURL": consoles.deep_security_url(),
        "integrationServerURL": consoles.integration_server_url(),
    })
}
