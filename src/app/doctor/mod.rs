//! Checks of an installation of the gateway, as an operator runs them when something is wrong. They
//! change nothing and print no secret.
//!
//! | module | contents |
//! |---|---|
//! | `finding`, `deadline` | the result of a check, and the end of all of them |
//! | `files`, `network` | what the machine is: files, space, names, proxies |
//! | `stored`, `upstreams` | the database, and the installations in it |

mod deadline;
mod files;
mod finding;
mod network;
mod stored;
mod upstreams;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, ConfigErrors};
use crate::database::Database;
use deadline::Deadline;
pub use files::SettingsFiles;
pub use finding::{Finding, FindingState};

/// How long the connections may take to close after the last check.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs all checks on these settings, which come from `files`, within a time limit. Checks that
/// need a working database are left out without one.
pub async fn examine(
    config: Result<&Config, &ConfigErrors>,
    files: &SettingsFiles,
    limit: Duration,
) -> Vec<Finding> {
    let deadline = Deadline::after(limit);
    let config = match config {
        Ok(config) => config,
        Err(errors) => return errors.problems().iter().map(settings).collect(),
    };
    let mut findings = vec![Finding::ok("settings", "valid")];
    findings.extend(files::modes(config, files));
    findings.extend(files::space(config));
    findings.push(deadline.finding("public_url", network::public_url(config)).await);
    findings.push(network::proxies(config));
    findings.extend(network::traces(config));
    match deadline.limit(stored::open(config)).await {
        Some(Ok(database)) => findings.extend(examine_database(config, database, deadline).await),
        Some(Err(finding)) => findings.push(finding),
        None => findings.push(deadline.missed("database", "opening the database")),
    }
    findings
}

async fn examine_database(config: &Config, database: Database, deadline: Deadline) -> Vec<Finding> {
    let database = Arc::new(database);
    let migrations = deadline.finding("migrations", stored::migrations(&database)).await;
    let has_tables = migrations.state == FindingState::Ok;
    let mut findings = vec![
        deadline.finding("database", stored::content(&database)).await,
        migrations,
        deadline.finding("clock", stored::clock(&database)).await,
    ];
    if has_tables {
        findings.push(deadline.finding("master_key", stored::master_key(config, &database)).await);
        findings.extend(upstreams::check(config, &database, deadline).await);
    }
    // The process ends anyway.
    tokio::time::timeout(CLOSE_TIMEOUT, database.close()).await.ok();
    findings
}

fn settings(problem: &crate::config::Problem) -> Finding {
    let advice = "correct the setting; docs/configuration.md lists all of them";
    Finding::failed("settings", problem.to_string(), advice)
}
