//! Merging the settings of all sources. Each value is checked when it is given, so that one mistake
//! does not hide another.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, ConfigErrors, FormerName, Problem, Setting, Source, TraceExport};

/// The settings given so far and their problems.
pub(super) struct Layers {
    pub(super) settings: Vec<Setting>,
    merged: Table,
    sources: BTreeMap<String, Source>,
    problems: Vec<Problem>,
    former_names: Vec<FormerName>,
    pub(super) trace_export: Option<TraceExport>,
}

impl Layers {
    pub(super) fn new() -> Self {
        Self {
            settings: Setting::all(),
            merged: Table::new(),
            sources: BTreeMap::new(),
            problems: Vec::new(),
            former_names: Vec::new(),
            trace_export: None,
        }
    }

    /// The setting with that name, which may be the current or a former one; a former one is noted.
    pub(super) fn find(&mut self, key: &str, source: &Source) -> Option<Setting> {
        let mut settings = self.settings.iter().copied();
        if let Some(setting) = settings.clone().find(|setting| setting.key() == key) {
            return Some(setting);
        }
        let setting = settings.find(|setting| setting.former_key() == Some(key))?;
        self.note_former_name(setting, source);
        Some(setting)
    }

    /// Notes that a setting was given under its former name.
    pub(super) fn note_former_name(&mut self, setting: Setting, source: &Source) {
        if let Some(former) = setting.former_key() {
            let present = setting.key();
            self.former_names.push(FormerName { source: source.clone(), former, present });
        }
    }

    pub(super) fn problem(
        &mut self,
        source: Source,
        key: impl Into<Option<String>>,
        message: impl Into<String>,
    ) {
        self.problems.push(Problem { source, key: key.into(), message: message.into() });
    }

    /// Sets a typed value, which replaces an earlier one.
    pub(super) fn give(&mut self, setting: Setting, value: Value, source: Source) {
        match check_alone(setting, &value) {
            Ok(()) => self.accept(setting, value, source),
            Err(message) => self.problem(source, setting.key(), message),
        }
    }

    /// Sets a value from a source of texts: as a string if that is valid, else as the TOML literal
    /// that the text spells.
    pub(super) fn give_text(&mut self, setting: Setting, text: String, source: Source) {
        let literal = text.parse::<Value>().ok().filter(|literal| !literal.is_str());
        let text = Value::String(text);
        let value = match literal {
            Some(literal) if check_alone(setting, &text).is_err() => literal,
            _ => text,
        };
        self.give(setting, value, source);
    }

    fn accept(&mut self, setting: Setting, value: Value, source: Source) {
        let section =
            self.merged.entry(setting.section).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(section) = section {
            section.insert(setting.field.into(), value);
        }
        self.sources.insert(setting.key(), source);
    }

    /// Returns the settings, or all problems.
    pub(super) fn finish(mut self) -> Result<Config, ConfigErrors> {
        let merged = Value::Table(std::mem::take(&mut self.merged));
        let mut config: Config =
            merged.try_into().expect("settings accepted one by one form a valid whole");
        config.former_names = std::mem::take(&mut self.former_names);
        config.traces.export = self.trace_export.take();
        self.report_conflicts(&config);
        if self.problems.is_empty() {
            return Ok(config);
        }
        Err(ConfigErrors::new(self.problems))
    }

    /// Reports settings that cannot be combined, unless a problem reported already may be the
    /// cause.
    fn report_conflicts(&mut self, config: &Config) {
        if self.problems.iter().any(|problem| problem.key.is_none()) {
            return;
        }
        for conflict in config.conflicts() {
            let is_wrong =
                |key: &str| self.problems.iter().any(|problem| problem.key.as_deref() == Some(key));
            if conflict.keys.iter().any(|key| is_wrong(key)) {
                continue;
            }
            // The defaults can be combined, so at least one of the two was given.
            let given =
                conflict.keys.iter().find_map(|key| Some((*key, self.sources.get(*key)?.clone())));
            if let Some((key, source)) = given {
                self.problem(source, key.to_owned(), conflict.message);
            }
        }
    }
}

/// Checks a value with defaults for all other settings.
fn check_alone(setting: Setting, value: &Value) -> Result<(), String> {
    let section = Table::from_iter([(setting.field.to_owned(), value.clone())]);
    let alone = Table::from_iter([(setting.section.to_owned(), Value::Table(section))]);
    let config: Config =
        Value::Table(alone).try_into().map_err(|error: toml::de::Error| wanted(error.message()))?;
    config.check()
}

const ADDRESS_WANTED: &str = "must be an address with a port, such as 127.0.0.1:8080";

/// A message of the parser in the terms of a settings file, without the types of Rust.
fn wanted(message: &str) -> String {
    let expected = message.rsplit_once("expected ").map(|(_, expected)| expected);
    let wanted = match expected {
        Some("socket address") => ADDRESS_WANTED,
        None if message == "invalid socket address syntax" => ADDRESS_WANTED,
        Some("a boolean") => "must be true or false",
        Some("u8" | "u16" | "u32" | "u64" | "usize" | "i64") => "must be a whole number",
        Some("a sequence") => "must be a list, such as [\"a\", \"b\"]",
        _ => message,
    };
    wanted.to_owned()
}
