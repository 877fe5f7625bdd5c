//! Settings as they pile up, each tried alone when it is given, so that one mistake hides no other.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{Config, ConfigErrors, FormerName, Problem, Setting, Source};

/// The settings given so far and what is wrong with them.
pub(super) struct Layers {
    pub(super) settings: Vec<Setting>,
    merged: Table,
    sources: BTreeMap<String, Source>,
    problems: Vec<Problem>,
    former_names: Vec<FormerName>,
}

impl Layers {
    pub(super) fn new() -> Self {
        Self {
            settings: Setting::all(),
            merged: Table::new(),
            sources: BTreeMap::new(),
            problems: Vec::new(),
            former_names: Vec::new(),
        }
    }

    /// The setting of that name, be it the present one or a former one, which is noted.
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
        let (key, message) = (key.into(), message.into());
        self.problems.push(Problem { source, key, message });
    }

    /// Takes a value that has a type, over any earlier one.
    pub(super) fn give(&mut self, setting: Setting, value: Value, source: Source) {
        match tried(setting, &value) {
            Ok(()) => self.accept(setting, value, source),
            Err(message) => self.problem(source, setting.key(), message),
        }
    }

    /// Takes a value from where all values are text: as it stands if it fits, else as the TOML
    /// literal it spells.
    pub(super) fn give_text(&mut self, setting: Setting, text: String, source: Source) {
        let literal = text.parse::<Value>().ok().filter(|literal| !literal.is_str());
        let text = Value::String(text);
        let value = match literal {
            Some(literal) if tried(setting, &text).is_err() => literal,
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

    /// The settings as a whole, or all problems.
    pub(super) fn finish(mut self) -> Result<Config, ConfigErrors> {
        let merged = Value::Table(std::mem::take(&mut self.merged));
        let mut config: Config =
            merged.try_into().expect("settings that are accepted one by one are accepted together");
        config.former_names = std::mem::take(&mut self.former_names);
        self.report_conflicts(&config);
        if self.problems.is_empty() {
            return Ok(config);
        }
        Err(ConfigErrors::new(self.problems))
    }

    /// Leaves out conflicts that a mistake reported already may have caused.
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
            // Defaults fit together, so that one of the two was given.
            let given =
                conflict.keys.iter().find_map(|key| Some((*key, self.sources.get(*key)?.clone())));
            if let Some((key, source)) = given {
                self.problem(source, key.to_owned(), conflict.message);
            }
        }
    }
}

/// What is wrong with this value if every other setting has its default.
fn tried(setting: Setting, value: &Value) -> Result<(), String> {
    let section = Table::from_iter([(setting.field.to_owned(), value.clone())]);
    let alone = Table::from_iter([(setting.section.to_owned(), Value::Table(section))]);
    let config: Config = Value::Table(alone)
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    config.check()
}
