//! The command line: one file a command.

mod audit;
mod backup;
mod client;
mod config;
mod demo;
mod doctor;
mod failure;
mod health;
mod http_client;
mod init;
mod keys;
mod log;
mod migrate;
mod output;
mod reload;
mod scope;
mod serve;
mod simulate;
mod systemd;
mod tenant;
mod traces;
mod user;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use tokio::runtime::Builder;

use crate::app::{Load, SettingsFiles};
use crate::config::{Config, LogConfig};
use crate::telemetry::LogGuard;
use crate::{schema, telemetry};
use failure::Failure;
use log::{QUIET, REQUESTS, logged, start_log};
use output::{Output, print};

/// One GraphQL endpoint over many security consoles; the tenant is chosen per request.
///
/// Try it with `demo`. For a gateway that keeps its data, run `init` once and then `serve`.
///
/// Settings come from a TOML file, then from variables TENANT_GATEWAY__SECTION__KEY, then from
/// --set; `config show` prints those in force. Exit status: 0 done, 1 failed, 2 wrong usage.
#[derive(Parser)]
#[command(name = "tenant-gateway", version)]
pub struct Cli {
    /// The settings file.
    #[arg(
        long,
        global = true,
        help_heading = "Settings",
        value_name = "FILE",
        env = "TENANT_GATEWAY_CONFIG"
    )]
    config: Option<PathBuf>,
    /// One setting, such as server.listen=127.0.0.1:0; may be repeated.
    ///
    /// Secrets are not taken here, where other users of the machine could read them.
    #[arg(
        long,
        global = true,
        help_heading = "Settings",
        value_name = "KEY=VALUE",
        value_parser = setting
    )]
    set: Vec<(String, String)>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C.
    ///
    /// The address is the setting server.listen, 127.0.0.1:8080 unless it is set, as by
    /// `--set server.listen=127.0.0.1:9000`. SIGHUP reloads the settings.
    Serve,
    /// Serve a gateway to try, with customers and stand-ins of consoles.
    ///
    /// Its database, with a partner, three customers and an administrator client, is in a temporary
    /// folder and disappears with it.
    Demo(demo::Arguments),
    /// Run a stand-in for a legacy console.
    #[command(subcommand)]
    Simulate(simulate::Command),
    /// Make the first partner tenant and its administrator client on an empty database.
    Init(init::Arguments),
    /// Bring the database's schema up to date, or tell how far it is.
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Copy an embedded database into a file, or check such a copy.
    ///
    /// The gateway may serve meanwhile. The master key is not in the copy.
    Backup(backup::Arguments),
    /// Put a backup in the place of an embedded database that is missing.
    Restore(backup::Restore),
    /// Print the GraphQL schema.
    Schema,
    /// Manage clients, directly on the database.
    #[command(subcommand)]
    Client(client::Command),
    /// Manage people who sign in, directly on the database.
    #[command(subcommand)]
    User(user::Command),
    /// Manage tenants, directly on the database.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Change the keys that sign tokens, or the one that seals them.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Export the audit log, or verify that nobody changed it.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check or print the settings in force.
    #[command(subcommand)]
    Config(config::Command),
    /// Ask a running gateway whether it is ready.
    Health(health::Arguments),
    /// Check settings, files, database, key, clock, proxies and legacy systems, and say what to do.
    Doctor(doctor::Arguments),
    /// Let the gateway that runs on this machine read its settings again.
    Reload(reload::Arguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// How long the end of the program waits for calls that block a thread, such as the resolution of a
/// name after the wait for it timed out.
const BLOCKED_MAX: Duration = Duration::from_secs(1);

/// Runs the program with these arguments, the program's name first. It is neither generic nor async,
/// since whatever crate calls such a function compiles all code behind it once more.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("error: cannot start threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut log_guard = None;
    let status = runtime.block_on(run_command(arguments, &mut log_guard));
    runtime.shutdown_timeout(BLOCKED_MAX);
    // Last of all: tasks that end with the runtime may still log.
    drop(log_guard);
    status
}

async fn run_command(arguments: Vec<OsString>, log_guard: &mut Option<LogGuard>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(shown) => {
            // Help and version are no errors; clap knows which of the two outputs each belongs to.
            shown.print().ok();
            return ExitCode::from(u8::try_from(shown.exit_code()).unwrap_or(2));
        }
    };
    match cli.run(log_guard).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    async fn run(self, log_guard: &mut Option<LogGuard>) -> Result<(), Failure> {
        // No setting has a name or value that is not Unicode.
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        let variables: Vec<_> = variables.collect();
        let files =
            SettingsFiles { settings: self.config.clone(), secrets: secret_files(&variables) };
        let load: Load = Arc::new(move || {
            Config::load(self.config.as_deref(), variables.clone(), self.set.clone())
        });
        let config = load();
        match self.command {
            Command::Schema => Ok(print(&schema::sdl())?),
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Self::command(), "tenant-gateway", &mut script);
                Ok(print(&String::from_utf8_lossy(&script))?)
            }
            Command::Serve => serve(config?, load, log_guard).await,
            Command::Demo(arguments) => {
                let (config, _) = start_log(config?, REQUESTS, telemetry::init_short);
                demo::run(config, &arguments).await
            }
            Command::Simulate(command) => simulate::run(command).await,
            Command::Init(arguments) => init::run(&logged(config?, QUIET), &arguments).await,
            Command::Migrate(command) => migrate::run(&logged(config?, QUIET), command).await,
            Command::Backup(arguments) => backup::run(&logged(config?, QUIET), arguments).await,
            Command::Restore(arguments) => {
                backup::run_restore(&logged(config?, QUIET), arguments).await
            }
            Command::Client(command) => client::run(&logged(config?, QUIET), command).await,
            Command::User(command) => user::run(&logged(config?, QUIET), command).await,
            Command::Tenant(command) => tenant::run(&logged(config?, QUIET), command).await,
            Command::Keys(command) => keys::run(&logged(config?, QUIET), command).await,
            Command::Audit(command) => audit::run(&logged(config?, QUIET), command).await,
            Command::Config(command) => config::run(config, command),
            Command::Doctor(arguments) => {
                let config = config.map(|config| logged(config, QUIET));
                doctor::run(config.as_ref(), &files, &arguments).await
            }
            Command::Health(arguments) => health::run(&config?, &arguments).await,
            Command::Reload(arguments) => reload::run(&config?, &arguments).await,
        }
    }
}

/// Serves, with traces if the settings ask for them. The guard of the log outlives this: the caller
/// drops it last.
async fn serve(
    config: Config,
    load: Load,
    log_guard: &mut Option<LogGuard>,
) -> Result<(), Failure> {
    let traces = traces::start(&config)?;
    let init = |log: &LogConfig| telemetry::init_in_background(log, traces.as_ref());
    let (config, (log_filter, guard)) = start_log(config, None, init);
    *log_guard = Some(guard);
    if let Some(export) = &config.traces.export {
        tracing::info!(%export, "traces are exported");
    }
    // Boxed: serving is a large future.
    let served = Box::pin(serve::run(&config, &log_filter, load)).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    served
}

/// The files that variables such as TENANT_GATEWAY__SEAL__MASTER_KEY_FILE name.
fn secret_files(variables: &[(String, String)]) -> Vec<PathBuf> {
    let named = |name: &str| name.starts_with("TENANT_GATEWAY__") && name.ends_with("_FILE");
    variables.iter().filter(|(name, _)| named(name)).map(|(_, file)| file.into()).collect()
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
