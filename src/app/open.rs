//! Opening a [`Core`]: database, master key, shared time, then the services on them.

use std::sync::Arc;

use super::core::Core;
use super::data_folder::connect;
use super::environment::Environment;
use super::master_key;
use super::services::Base;
use crate::auth::Authorizer;
use crate::budget::Budgets;
use crate::clients::Usage;
use crate::clock::Clock;
use crate::config::Config;
use crate::database::Database;
use crate::database_time::DatabaseTime;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::metrics::Metrics;
use crate::seal::MasterKey;

impl Core {
    /// Opens the database and builds the services on it. An embedded database is migrated; on
    /// PostgreSQL, which other nodes may be using, run `migrate up` first.
    ///
    /// # Errors
    /// If the database cannot be reached, or its schema does not match this version.
    pub async fn open(config: &Config, environment: Environment) -> Result<Self> {
        let (database, master) = open_database(config, &*environment.entropy).await?;
        let database = Arc::new(database);
        let Environment { clock, entropy, database_clock } = environment;
        let time = DatabaseTime::measured(database.clone(), clock, database_clock.clone()).await?;
        let time = Arc::new(time);
        let clock: Arc<dyn Clock> = time.clone();
        let base = Base {
            config,
            master: Arc::new(master),
            budgets: Arc::new(Budgets::new(config)),
            metrics: Arc::new(Metrics::new(config.metrics.by_tenant, clock.now())),
            usage: Arc::new(Usage::new(database.clone())),
            authorizer: authorizer(config, &database, &clock),
            database,
            clock,
            entropy,
        };
        Ok(core(base, time, database_clock))
    }
}

fn core(base: Base<'_>, time: Arc<DatabaseTime>, database_clock: Option<Arc<dyn Clock>>) -> Core {
    Core {
        services: base.services(),
        database: base.database,
        master: base.master,
        authorizer: base.authorizer,
        budgets: base.budgets,
        metrics: base.metrics,
        time,
        environment: Environment { clock: base.clock, entropy: base.entropy, database_clock },
        usage: base.usage,
    }
}

/// The database, migrated if it is embedded, and the master key that fits it.
async fn open_database(config: &Config, entropy: &dyn Entropy) -> Result<(Database, MasterKey)> {
    // The lock keeps other processes from making a second master key; released at the end.
    let (database, _lock) = connect(config).await?;
    if database.is_sqlite() {
        database.migrate().await?;
    }
    require_current(&database).await?;
    let master = master_key::master_key(config, &database, entropy).await?;
    Ok((database, master))
}

async fn require_current(database: &Database) -> Result<()> {
    let schema = database.schema().await?;
    schema.require_upgradable()?;
    match schema.lag() {
        None => Ok(()),
        Some(lag) => Err(Error::internal(format!(
            "{lag}: run `tenant-gateway migrate up` with the same settings"
        ))),
    }
}

fn authorizer(
    config: &Config,
    database: &Arc<Database>,
    clock: &Arc<dyn Clock>,
) -> Arc<Authorizer> {
    let max_age = config.auth.access_cache_ttl;
    let capacity = config.auth.cache_size;
    Arc::new(Authorizer::new(database.clone(), clock.clone(), max_age, capacity))
}
