//! The names of all settings, taken from the structs themselves: there is no second list to
//! maintain.

use std::cell::RefCell;

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IntoDeserializer, Visitor,
        value::{Error as RecorderError, MapDeserializer},
    },
    forward_to_deserialize_any,
};

use super::Config;

/// The prefix of all environment variables.
pub(super) const PREFIX: &str = "TENANT_GATEWAY__";

/// The settings that may also be read from a file.
const SECRETS: [&str; 3] = ["database.url", "seal.master_key", "seal.previous_master_key"];

/// Former names of settings, each with the present one. They are accepted for one minor version,
/// with a warning in the log.
const RENAMED: [(&str, &str); 5] = [
    ("auth.standing_max_age", "auth.access_cache_ttl"),
    ("deep_security.remember_computers", "deep_security.computers_cache_ttl"),
    ("deep_security.remember_policies", "deep_security.policies_cache_ttl"),
    ("deep_security.remember_roles", "deep_security.roles_cache_ttl"),
    ("deep_security.remember_api_keys", "deep_security.api_keys_cache_ttl"),
];

/// The name of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    pub(super) section: &'static str,
    pub(super) field: &'static str,
}

impl Setting {
    /// All settings, in the order of the structs.
    ///
    /// # Panics
    /// Never: every section has defaults.
    pub fn all() -> Vec<Self> {
        let found = RefCell::default();
        let recorder = FieldRecorder { section: None, found: &found };
        Config::deserialize(recorder).expect("every section has defaults");
        found.into_inner()
    }

    /// The name in the settings file and in messages, such as `server.listen`.
    pub fn key(&self) -> String {
        format!("{}.{}", self.section, self.field)
    }

    /// The name of the environment variable, such as `TENANT_GATEWAY__SERVER__LISTEN`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}__{}", self.section, self.field).to_uppercase()
    }

    /// The name that it had before, as `section.key`.
    pub(super) fn former_key(&self) -> Option<&'static str> {
        let key = self.key();
        RENAMED.into_iter().find(|(_, present)| *present == key).map(|(former, _)| former)
    }

    /// The environment variable of its former name.
    pub(super) fn former_variable(&self) -> Option<String> {
        self.former_key()
            .map(|key| format!("{PREFIX}{}", key.replacen('.', "__", 1)).to_uppercase())
    }

    /// For a secret, the variable with the path of a file that contains it.
    pub fn file_variable(&self) -> Option<String> {
        SECRETS.contains(&self.key().as_str()).then(|| format!("{}_FILE", self.variable()))
    }

    /// The default as TOML; `None` if there is none.
    pub fn default_value(&self) -> Option<String> {
        let defaults = Config::default().to_table();
        Some(defaults.get(self.section)?.get(self.field)?.to_string())
    }
}

/// A deserializer without data that records the field names that structs request.
#[derive(Clone, Copy)]
struct FieldRecorder<'a> {
    section: Option<&'static str>,
    found: &'a RefCell<Vec<Setting>>,
}

impl<'de> Deserializer<'de> for FieldRecorder<'_> {
    type Error = RecorderError;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, RecorderError> {
        let sections = match self.section {
            None => fields,
            Some(section) => {
                let settings = fields.iter().map(|field| Setting { section, field });
                self.found.borrow_mut().extend(settings);
                &[]
            }
        };
        let sections =
            sections.iter().map(|name| (*name, FieldRecorder { section: Some(name), ..self }));
        visitor.visit_map(MapDeserializer::new(sections))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, RecorderError> {
        Err(RecorderError::custom("settings consist of sections, and sections are structs"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl IntoDeserializer<'_> for FieldRecorder<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The candidate nearest to a mistyped name, at most two edits away; else the first one of which the
/// name is the last part, so that the section is missing.
pub(super) fn nearest(name: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let candidates: Vec<_> = candidates.into_iter().collect();
    let ranked = candidates.iter().map(|candidate| (distance(name, candidate), candidate));
    let near = ranked.min().filter(|(edits, _)| *edits <= 2).map(|(_, candidate)| candidate);
    near.or_else(|| candidates.iter().find(|candidate| lacks_section(name, candidate))).cloned()
}

/// Whether the name is the full one of the setting without its section.
fn lacks_section(name: &str, full: &str) -> bool {
    let (field, separator) = match name.strip_prefix(PREFIX) {
        Some(field) => (field, "__"),
        None => (name, "."),
    };
    full.strip_suffix(field).is_some_and(|section| section.ends_with(separator))
}

/// The edit distance of two names: insertions, removals and replacements (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_and_every_default_is_found() {
        let settings = Setting::all();
        let find = |key: &str| settings.iter().find(|setting| setting.key() == key);
        for (section, defaults) in Config::default().to_table() {
            assert!(settings.iter().any(|setting| setting.section == section), "{section}");
            for (field, value) in defaults.as_table().unwrap() {
                let setting = find(&format!("{section}.{field}")).unwrap();
                assert_eq!(setting.default_value(), Some(value.to_string()));
            }
        }
        assert_eq!(find("server.public_url").unwrap().default_value(), None);
    }

    #[test]
    fn every_secret_is_a_setting() {
        let with_file = Setting::all().iter().filter_map(Setting::file_variable).count();
        assert_eq!(with_file, SECRETS.len());
    }

    #[test]
    fn every_former_name_leads_to_a_setting() {
        let settings = Setting::all();
        let renamed = settings.iter().filter_map(Setting::former_key).count();
        assert_eq!(renamed, RENAMED.len());
        assert!(
            settings.iter().all(|setting| RENAMED.iter().all(|(old, _)| *old != setting.key()))
        );
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("listne", "listen"), 2);
        assert_eq!(distance("server_listen", "server__listen"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
