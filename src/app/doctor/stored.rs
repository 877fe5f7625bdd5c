//! The database, its schema, its master key and its clock.

use std::sync::Arc;

use super::finding::Finding;
use crate::app::data_folder::inspect;
use crate::app::master_key::existing_master_key;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::database::Database;
use crate::database_time::{ClockHealth, DatabaseTime};
use crate::error::Result;
use crate::tokens;

/// Opens the database for reading.
///
/// # Errors
/// The finding that says why it cannot be opened.
pub(super) async fn open(config: &Config) -> Result<Database, Finding> {
    let file = config.database_url().sqlite_file();
    // A folder that this user may not enter hides the file, which is no reason to make a new one.
    if let Some(file) = file.filter(|file| file.try_exists().is_ok_and(|exists| !exists)) {
        return Err(Finding::failed(
            "database",
            format!("{} does not exist", file.display()),
            "correct data.dir, restore a backup with `tenant-gateway restore`, or create a new \
             database with `tenant-gateway init`",
        ));
    }
    let is_file = config.database_url().sqlite_file().is_some();
    inspect(config).await.map_err(|error| {
        let advice = if is_file {
            "check the file that database.url or data.dir names, its mode and its owner; a backup \
             is put in its place with `tenant-gateway restore`"
        } else {
            "check database.url, the server and the network; see docs/runbooks/database-down.md"
        };
        Finding::failed("database", error.explained(), advice)
    })
}

/// Checks that the database answers and, if it is embedded, that none of its pages is damaged.
pub(super) async fn content(database: &Database) -> Finding {
    if let Err(error) = database.now().await {
        let advice = "see docs/runbooks/database-down.md";
        return Finding::failed("database", error.explained(), advice);
    }
    match database.check_content().await {
        Ok(()) if database.is_sqlite() => Finding::ok("database", "answers and is not damaged"),
        Ok(()) => Finding::ok("database", "answers"),
        Err(error) => {
            let advice = "stop the gateway, move the files away, and restore a backup; \
                see docs/operations.md";
            Finding::failed("database", error.explained(), advice)
        }
    }
}

/// Checks that this version can work with the schema.
pub(super) async fn migrations(database: &Database) -> Finding {
    let schema = match database.schema().await {
        Ok(schema) => schema,
        Err(error) => {
            let advice = "check that database.url names a database of tenant-gateway";
            return Finding::failed("migrations", error.explained(), advice);
        }
    };
    if let Err(error) = schema.require_upgradable() {
        let advice = "install the version that the message names, or go back as \
                      docs/installation.md says";
        return Finding::failed("migrations", error.explained(), advice);
    }
    match schema.lag() {
        None => Finding::ok("migrations", "the schema is current"),
        Some(lag) => {
            let advice = "make a backup, then run `tenant-gateway migrate up`";
            Finding::failed("migrations", lag, advice)
        }
    }
}

/// Checks that the master key opens the secrets in the database.
pub(super) async fn master_key(config: &Config, database: &Database) -> Finding {
    match opened_by_master_key(config, database).await {
        Ok(detail) => Finding::ok("master_key", detail),
        Err(error) => Finding::failed(
            "master_key",
            error.explained(),
            "restore the key that belongs to this database: no other key opens its secrets",
        ),
    }
}

async fn opened_by_master_key(config: &Config, database: &Database) -> Result<&'static str> {
    if !tokens::holds_sealed_keys(database.reader()).await? {
        return Ok("not needed yet: nothing is sealed");
    }
    let master = existing_master_key(config)?;
    tokens::require_master_key(database.reader(), &master).await?;
    Ok("opens the newest signing key")
}

/// Checks the clock of this machine against the database's.
pub(super) async fn clock(database: &Arc<Database>) -> Finding {
    let time = DatabaseTime::measured(database.clone(), Arc::new(SystemClock), None).await;
    let time = match time {
        Ok(time) => time,
        Err(error) => {
            let advice = "see docs/runbooks/database-down.md";
            return Finding::failed("clock", error.explained(), advice);
        }
    };
    if database.is_sqlite() {
        return Finding::ok("clock", "the database uses the clock of this machine");
    }
    let detail = format!("differs from the database's clock by {:.1} s", time.skew().as_secs_f64());
    judge_clock(time.health(), detail)
}

fn judge_clock(health: ClockHealth, detail: String) -> Finding {
    let advice = "synchronize the clock of this machine by NTP; see docs/runbooks/clock-skew.md";
    match health {
        ClockHealth::InSync => Finding::ok("clock", detail),
        ClockHealth::Skewed => Finding::warning("clock", detail, advice),
        ClockHealth::Unusable => Finding::failed("clock", detail, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::FindingState;

    #[test]
    fn clock_that_refuses_tokens_is_a_failure() {
        let state = |health| judge_clock(health, "differs".to_owned()).state;
        assert_eq!(state(ClockHealth::InSync), FindingState::Ok);
        assert_eq!(state(ClockHealth::Skewed), FindingState::Warning);
        assert_eq!(state(ClockHealth::Unusable), FindingState::Failed);
    }
}
