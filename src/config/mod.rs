//! Settings: one struct per section, all checked before anything starts.
//!
//! Sources are one TOML file, then variables `TENANT_GATEWAY__SECTION__KEY`, then flags; later ones
//! override earlier ones. A secret may also be read from a file whose path a variable
//! `TENANT_GATEWAY__SECTION__KEY_FILE` contains. Durations are texts such as `30s`, `1h` or `7d`.

mod admin;
mod audit;
mod auth;
mod budget;
mod clients;
mod cors;
mod data;
mod database;
mod database_url;
mod deep_security;
mod device;
mod errors;
mod friendly_duration;
mod graphql;
mod layers;
mod limits;
mod load;
mod log;
mod metrics;
mod names;
mod networks;
mod playground;
mod public_url;
mod quotas;
mod ranges;
mod rate_limit;
mod reload;
mod seal;
mod secret_text;
mod server;
mod sessions;
mod tokens;
mod trace_export;
mod traces;
mod upstream;
mod users;

use serde::{Deserialize, Serialize};

pub use admin::AdminConfig;
pub use audit::AuditConfig;
pub use auth::AuthConfig;
pub use budget::BudgetConfig;
pub use clients::ClientsConfig;
pub use cors::CorsConfig;
pub use data::DataConfig;
pub use database::DatabaseConfig;
pub use database_url::{DatabaseKind, DatabaseUrl};
pub use deep_security::DeepSecurityConfig;
pub use device::DeviceConfig;
pub use errors::{ConfigErrors, FormerName, Problem, Source};
pub use graphql::{GraphqlConfig, Introspection, TrustedDocumentsMode};
pub use limits::LimitsConfig;
pub use log::{LogConfig, LogFormat};
pub use metrics::MetricsConfig;
pub use names::Setting;
pub use networks::Networks;
pub use playground::PlaygroundConfig;
pub use quotas::QuotasConfig;
pub use rate_limit::RateLimitConfig;
pub use seal::SealConfig;
pub use secret_text::SecretText;
pub use server::ServerConfig;
pub use sessions::SessionsConfig;
pub use tokens::{TokenAlgorithm, TokensConfig};
pub use trace_export::{RootSampler, TraceExport, TraceSampler};
pub use traces::TracesConfig;
pub use upstream::UpstreamConfig;
pub use users::UsersConfig;

/// All settings of one process. The default is valid: loopback listeners and an embedded database
/// in `./data`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The public listener.
    pub server: ServerConfig,
    /// The admin listener.
    pub admin: AdminConfig,
    /// The data folder.
    pub data: DataConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The master key.
    pub seal: SealConfig,
    /// Access tokens and signing keys.
    pub tokens: TokensConfig,
    /// Caching of access.
    pub auth: AuthConfig,
    /// The audit log.
    pub audit: AuditConfig,
    /// Clients and their usage.
    pub clients: ClientsConfig,
    /// People who sign in.
    pub users: UsersConfig,
    /// Sessions of people.
    pub sessions: SessionsConfig,
    /// Device authorization.
    pub device: DeviceConfig,
    /// Quotas of tenants.
    pub quotas: QuotasConfig,
    /// The GraphQL endpoint.
    pub graphql: GraphqlConfig,
    /// Limits of one request.
    pub limits: LimitsConfig,
    /// Budgets of the node.
    pub budget: BudgetConfig,
    /// Rate limits of callers.
    pub rate_limit: RateLimitConfig,
    /// Web origins.
    pub cors: CorsConfig,
    /// The log.
    pub log: LogConfig,
    /// The metrics.
    pub metrics: MetricsConfig,
    /// Traces.
    pub traces: TracesConfig,
    /// The playground.
    pub playground: PlaygroundConfig,
    /// Calls to legacy systems.
    pub upstream: UpstreamConfig,
    /// Deep Security.
    pub deep_security: DeepSecurityConfig,
    /// The settings given under a former name, for a warning in the log.
    #[serde(skip)]
    pub former_names: Vec<FormerName>,
}

/// Two settings that are each valid but cannot be combined.
struct Conflict {
    keys: [&'static str; 2],
    message: &'static str,
}

impl Config {
    /// The database in use: `database.url`, else the SQLite file `tenant-gateway.db` in `data.dir`.
    pub fn database_url(&self) -> DatabaseUrl {
        let embedded = || DatabaseUrl::sqlite(&self.data.dir.join("tenant-gateway.db"));
        self.database.url.clone().unwrap_or_else(embedded)
    }

    /// The effective settings as TOML, with each secret as `[redacted]`. Settings without value and
    /// default are omitted.
    pub fn show(&self) -> String {
        let mut shown = self.clone();
        shown.database.url = Some(self.database_url());
        shown.to_table().to_string()
    }

    /// The settings as a TOML table of sections, with each secret as `[redacted]`.
    ///
    /// # Panics
    /// Never: every setting can be written as TOML.
    fn to_table(&self) -> toml::Table {
        toml::Table::try_from(self).expect("every setting can be written as TOML")
    }

    /// Checks the ranges and formats of each section.
    fn check(&self) -> Result<(), String> {
        self.server.check()?;
        self.data.check()?;
        self.database.check()?;
        self.seal.check()?;
        self.tokens.check()?;
        self.auth.check()?;
        self.audit.check()?;
        self.clients.check()?;
        self.users.check()?;
        self.sessions.check()?;
        self.device.check()?;
        self.quotas.check()?;
        self.graphql.check()?;
        self.limits.check()?;
        self.budget.check()?;
        self.rate_limit.check()?;
        self.cors.check()?;
        self.upstream.check()?;
        self.deep_security.check()?;
        self.log.check()
    }

    fn conflicts(&self) -> Vec<Conflict> {
        let shared = self.database_url().kind() == DatabaseKind::Postgres;
        let one_listener =
            self.server.listen.port() != 0 && self.admin.listen == Some(self.server.listen);
        let candidates = [
            (
                shared && self.seal.master_key.is_none(),
                ["database.url", "seal.master_key"],
                "PostgreSQL requires a master key that all nodes share: set seal.master_key, \
                 or the path of its file as TENANT_GATEWAY__SEAL__MASTER_KEY_FILE",
            ),
            (
                self.seal.previous_master_key.is_some() && self.seal.master_key.is_none(),
                ["seal.previous_master_key", "seal.master_key"],
                "seal.previous_master_key requires seal.master_key, the key that replaces it: \
                 set both",
            ),
            (
                self.graphql.trusted_documents_mode != TrustedDocumentsMode::Off
                    && self.graphql.trusted_documents.is_none(),
                ["graphql.trusted_documents_mode", "graphql.trusted_documents"],
                "graphql.trusted_documents_mode requires graphql.trusted_documents: \
                 set it to the path of the file",
            ),
            (
                self.upstream.connect_timeout > self.upstream.timeout,
                ["upstream.connect_timeout", "upstream.timeout"],
                "upstream.connect_timeout must not exceed upstream.timeout, which includes it",
            ),
            (
                one_listener,
                ["admin.listen", "server.listen"],
                "admin.listen and server.listen must be different addresses",
            ),
        ];
        let violated = candidates.into_iter().filter(|(is_violated, ..)| *is_violated);
        violated.map(|(_, keys, message)| Conflict { keys, message }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn default_is_valid() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert!(config.conflicts().is_empty());
    }

    #[test]
    fn shown_settings_load_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        std::fs::write(&file, Config::default().show()).unwrap();
        let again = Config::load(Some(&file), [], vec![]).unwrap();
        assert_eq!(again.show(), Config::default().show());
    }

    #[test]
    fn embedded_database_is_in_the_data_folder() {
        let mut config = Config::default();
        config.data.dir = Path::new("/var/lib/gateway").into();
        let url = config.database_url();
        assert_eq!(url.kind(), DatabaseKind::Sqlite);
        assert_eq!(url.expose(), "sqlite:/var/lib/gateway/tenant-gateway.db");
    }

    #[test]
    fn connect_timeout_must_not_exceed_the_call_timeout() {
        let env = [("TENANT_GATEWAY__UPSTREAM__TIMEOUT".to_owned(), "2s".to_owned())];
        let errors = Config::load(None, env, vec![]).unwrap_err().to_string();
        assert!(errors.contains("upstream.connect_timeout"), "{errors}");
    }

    #[test]
    fn secret_is_never_shown() {
        let master_key = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
        let env = [
            ("TENANT_GATEWAY__DATABASE__URL", "postgres://gateway:hunter2@db/gateway"),
            ("TENANT_GATEWAY__SEAL__MASTER_KEY", master_key),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(None, env, vec![]).unwrap();
        let output = format!("{}{config:?}{config:#?}", config.show());
        assert!(!output.contains("hunter2") && !output.contains(master_key), "{output}");
        assert!(config.show().contains("postgres://gateway:[redacted]@db/gateway"));
        assert!(config.show().contains("master_key = \"[redacted]\""));
    }
}
