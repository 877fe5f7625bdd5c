//! A fresh database for each test.

use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tenant_gateway::config::Config;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::seal::MasterKey;
use uuid::Uuid;

use super::{OnEngine, notes, postgres};

/// The kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// A UUID in the text of a statement.
    pub fn literal(self, uuid: Uuid) -> String {
        match self {
            Self::Sqlite => format!("x'{}'", uuid.simple()),
            Self::Postgres => format!("'{uuid}'::uuid"),
        }
    }
}

/// A database that no other test uses. Several gateways may share it.
pub struct TestDatabase {
    pub engine: Engine,
    pub folder: TempDir,
    pub master_key: String,
    /// On PostgreSQL only.
    pub url: Option<String>,
}

impl TestDatabase {
    /// A database with the current schema.
    pub async fn fresh(engine: Engine) -> Arc<Self> {
        let url = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::migrated().await),
        };
        Self::at(engine, url)
    }

    /// A database without a schema.
    pub async fn empty(engine: Engine) -> Arc<Self> {
        let url = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(postgres::empty().await),
        };
        Self::at(engine, url)
    }

    fn at(engine: Engine, url: Option<String>) -> Arc<Self> {
        notes::log_to_file();
        let master_key = MasterKey::generate(&SystemEntropy);
        notes::note(&master_key);
        Arc::new(Self {
            engine,
            folder: tempfile::tempdir().expect("a temp folder"),
            master_key,
            url,
        })
    }

    /// Settings for a gateway on this database, at a free port.
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.admin.listen = None;
        config.data.dir = self.folder.path().to_owned();
        // Tests provoke refusals on purpose, all from one address and at one moment.
        config.auth.failures_per_client = 1_000_000;
        config.auth.failures_per_address = 1_000_000;
        config.seal.master_key = Some(self.master_key.clone().into());
        config.database.url =
            self.url.as_ref().map(|url| serde_json::from_value(json!(url)).expect("a valid URL"));
        config
    }
}

impl OnEngine for Engine {
    async fn on(engine: Engine) -> Self {
        engine
    }
}

impl OnEngine for Arc<TestDatabase> {
    async fn on(engine: Engine) -> Self {
        TestDatabase::fresh(engine).await
    }
}
