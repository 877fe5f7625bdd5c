//! The settings that a running process takes over, and those that need a restart.

use toml::Table;

use super::{Config, Setting};

/// Sections whose settings a running process takes over, apart from [`FIXED`].
const SECTIONS: [&str; 3] = ["cors", "limits", "rate_limit"];

/// Settings of other sections that a running process takes over.
const SETTINGS: [&str; 3] =
    ["graphql.trusted_documents", "graphql.trusted_documents_mode", "log.filter"];

/// Sizes of pools and caches that are allocated at the start.
const FIXED: [&str; 2] = ["limits.streams", "rate_limit.capacity"];

impl Setting {
    /// Whether a reload puts a change of this setting into force.
    pub fn is_reloadable(&self) -> bool {
        let key = self.key();
        let listed = SECTIONS.contains(&self.section) || SETTINGS.contains(&&*key);
        listed && !FIXED.contains(&&*key)
    }
}

impl Config {
    /// The settings whose values differ, secrets included.
    pub fn changed_settings(&self, other: &Self) -> Vec<Setting> {
        let mine = self.to_table();
        let others = other.to_table();
        let differs = |setting: &Setting| {
            let value = |table: &Table| table.get(setting.section)?.get(setting.field).cloned();
            value(&mine) != value(&others) || self.secret(setting) != other.secret(setting)
        };
        Setting::all().into_iter().filter(differs).collect()
    }

    /// These settings with the reloadable ones of `newer`.
    #[must_use]
    pub fn reloaded(&self, newer: &Self) -> Self {
        let mut merged = self.clone();
        merged.limits = newer.limits.clone();
        merged.limits.streams = self.limits.streams;
        merged.rate_limit = newer.rate_limit.clone();
        merged.rate_limit.capacity = self.rate_limit.capacity;
        merged.cors = newer.cors.clone();
        merged.log.filter.clone_from(&newer.log.filter);
        merged.graphql.trusted_documents.clone_from(&newer.graphql.trusted_documents);
        merged.graphql.trusted_documents_mode = newer.graphql.trusted_documents_mode;
        merged
    }

    /// The secret that [`Config::to_table`] has only as `[redacted]`.
    fn secret(&self, setting: &Setting) -> Option<&str> {
        match &*setting.key() {
            "database.url" => self.database.url.as_ref().map(|url| url.expose()),
            "seal.master_key" => self.seal.master_key.as_ref().map(|key| key.expose()),
            "seal.previous_master_key" => {
                self.seal.previous_master_key.as_ref().map(|key| key.expose())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(settings: &[Setting]) -> Vec<String> {
        settings.iter().map(Setting::key).collect()
    }

    fn loaded(file: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, file).unwrap();
        Config::load(Some(&path), [], vec![]).unwrap()
    }

    #[test]
    fn changed_secret_is_noticed() {
        let first = loaded(
            "[database]\nurl = 'postgres://g:first-password-0001@db/g'\n[seal]\nmaster_key = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U='",
        );
        let second = loaded(
            "[database]\nurl = 'postgres://g:second-password-002@db/g'\n[seal]\nmaster_key = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U='",
        );
        assert_eq!(keys(&first.changed_settings(&second)), ["database.url"]);
        assert!(first.changed_settings(&first.clone()).is_empty());
    }

    #[test]
    fn reload_takes_over_exactly_the_reloadable_settings() {
        let newer = loaded(
            "[limits]\nfields = 7\nstreams = 9\n[rate_limit]\nclient_burst = 3\ncapacity = 5\n\
             [cors]\nallowed_origins = ['https://a.example']\n[log]\nfilter = 'warn'\nformat = 'json'\n\
             [graphql]\ntrusted_documents = '/x'\ntrusted_documents_mode = 'only'\nbatching = true",
        );
        let running = Config::default();
        let reloaded = running.reloaded(&newer);
        let changed = running.changed_settings(&newer);
        let (taken, left): (Vec<_>, Vec<_>) = changed.into_iter().partition(Setting::is_reloadable);
        assert_eq!(keys(&running.changed_settings(&reloaded)), keys(&taken));
        assert_eq!(keys(&reloaded.changed_settings(&newer)), keys(&left));
        assert_eq!(
            keys(&left),
            ["graphql.batching", "limits.streams", "rate_limit.capacity", "log.format"]
        );
    }
}
