//! Reads the three sources: file, variables, flags.

use std::{collections::BTreeMap, fs, path::Path};

use toml::{Table, Value};

use super::{
    Config, ConfigErrors, Setting, Source,
    layers::Layers,
    names::{PREFIX, nearest},
};

impl Config {
    /// Reads the file, then the variables, then the flags (name as `server.listen`, and value);
    /// what comes later wins. Foreign variables are left alone, but `RUST_LOG`, unless empty, beats
    /// every source of `log.filter`.
    ///
    /// # Errors
    ///
    /// All problems together: a missing or unreadable file, unknown names, wrong values, and values
    /// that do not go together. No secret is repeated.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: Vec<(String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let env: BTreeMap<_, _> = env.into_iter().collect();
        let mut layers = Layers::new();
        if let Some(path) = file {
            layers.file(path);
        }
        layers.variables(&env);
        layers.flags(flags);
        layers.rust_log(&env);
        layers.finish()
    }
}

impl Layers {
    fn file(&mut self, path: &Path) {
        let source = Source::File(path.to_owned());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problem(source, None, format!("cannot be read: {error}")),
        };
        match text.parse::<Table>() {
            Ok(sections) => self.sections(sections, &source),
            Err(error) => self.problem(source, None, syntax_error(&text, &error)),
        }
    }

    fn sections(&mut self, sections: Table, source: &Source) {
        for (section, content) in sections {
            let known = self.settings.iter().any(|setting| setting.section == section);
            match content {
                Value::Table(fields) if known || !fields.is_empty() => {
                    for (field, value) in fields {
                        self.named(&format!("{section}.{field}"), value, source);
                    }
                }
                _ if known => self.problem(
                    source.clone(),
                    section.clone(),
                    format!("is a section: write [{section}] above its settings"),
                ),
                _ => self.unknown(&section, source),
            }
        }
    }

    fn named(&mut self, key: &str, value: Value, source: &Source) {
        match self.find(key) {
            Some(setting) => self.give(setting, value, source.clone()),
            None => self.unknown(key, source),
        }
    }

    fn variables(&mut self, env: &BTreeMap<String, String>) {
        self.misspelt_variables(env);
        for (name, value) in env.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
            let source = Source::Variable(name.clone());
            let settings = self.settings.iter().copied();
            let named = settings.clone().find(|setting| setting.variable() == *name);
            let named_by_file =
                settings.clone().find(|setting| setting.file_variable().as_ref() == Some(name));
            match (named, named_by_file) {
                (Some(setting), _) => self.give_text(setting, value.clone(), source),
                (None, Some(setting)) if env.contains_key(&setting.variable()) => {
                    let message =
                        format!("is also set by {}: give one of the two", setting.variable());
                    self.problem(source, setting.key(), message);
                }
                (None, Some(setting)) => self.secret_file(setting, Path::new(value), source),
                (None, None) => {
                    let known = settings
                        .flat_map(|setting| [Some(setting.variable()), setting.file_variable()])
                        .flatten();
                    let key = name[PREFIX.len()..].replace("__", ".").to_lowercase();
                    let message = unknown_name(nearest(name, known));
                    self.problem(source, key, message);
                }
            }
        }
    }

    /// Variables with one underscore in place of two, which would be taken for foreign ones and do
    /// nothing.
    fn misspelt_variables(&mut self, env: &BTreeMap<String, String>) {
        let single = |name: &str| name.replace("__", "_");
        let misspelt = |name: &str| name.starts_with(&single(PREFIX)) && !name.starts_with(PREFIX);
        for name in env.keys().filter(|name| misspelt(name)) {
            let meant = self
                .settings
                .iter()
                .flat_map(|setting| [Some(setting.variable()), setting.file_variable()])
                .flatten()
                .find(|variable| single(variable) == single(name));
            if meant.is_some() {
                self.problem(Source::Variable(name.clone()), None, unknown_name(meant));
            }
        }
    }

    fn secret_file(&mut self, setting: Setting, path: &Path, source: Source) {
        match fs::read_to_string(path) {
            Ok(text) => self.give_text(setting, text.trim_end().to_owned(), source),
            // Without the path: who mixed up the two variables wrote the secret there.
            Err(error) => self.problem(
                source,
                setting.key(),
                format!("the file it names cannot be read: {error}"),
            ),
        }
    }

    fn flags(&mut self, flags: Vec<(String, String)>) {
        for (key, value) in flags {
            match self.find(&key) {
                Some(setting) => match setting.file_variable() {
                    Some(variable) => {
                        let message = format!(
                            "is a secret, which does not belong on a command line: set {variable}"
                        );
                        self.problem(Source::Flag, setting.key(), message);
                    }
                    None => self.give_text(setting, value, Source::Flag),
                },
                None => self.unknown(&key, &Source::Flag),
            }
        }
    }

    fn rust_log(&mut self, env: &BTreeMap<String, String>) {
        let filter = env.get("RUST_LOG").filter(|filter| !filter.is_empty());
        if let (Some(filter), Some(setting)) = (filter, self.find("log.filter")) {
            let value = Value::String(filter.clone());
            self.give(setting, value, Source::Variable("RUST_LOG".into()));
        }
    }

    fn find(&self, key: &str) -> Option<Setting> {
        self.settings.iter().copied().find(|setting| setting.key() == key)
    }

    fn unknown(&mut self, key: &str, source: &Source) {
        let near = nearest(key, self.settings.iter().map(Setting::key));
        self.problem(source.clone(), key.to_owned(), unknown_name(near));
    }
}

fn unknown_name(near: Option<String>) -> String {
    match near {
        Some(near) => format!("is not a setting; did you mean {near}?"),
        None => "is not a setting".into(),
    }
}

/// Line and reason. The error's own display would print the line, and a secret with it.
fn syntax_error(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

#[cfg(test)]
mod tests;
