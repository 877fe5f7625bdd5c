//! Reading the three sources: file, variables, flags.

use std::{collections::BTreeMap, fs, io, path::Path};

use toml::{Table, Value};

use super::{
    Config, ConfigErrors, Setting, Source, TraceExport,
    layers::Layers,
    names::{PREFIX, nearest},
};

impl Config {
    /// Reads the file, then the variables, then the flags (a name such as `server.listen`, and a
    /// value); later sources override earlier ones. Variables of other programs are ignored, except
    /// `RUST_LOG`, which, unless empty, overrides every source of `log.filter`, and the variables
    /// `OTEL_*` of OpenTelemetry, which say where traces go.
    ///
    /// # Errors
    /// All problems together: an unreadable file, unknown names, invalid values, and values that
    /// cannot be combined. No secret is repeated.
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
        layers.trace_export(&env);
        layers.finish()
    }
}

impl Layers {
    fn file(&mut self, path: &Path) {
        let source = Source::File(path.to_owned());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                return self.problem(source, None, format!("cannot read: {}", reason(&error)));
            }
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
                    self.refuse_both_names(&section, &fields, source);
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

    /// Refuses a section that has a setting under its present name and under its former one.
    fn refuse_both_names(&mut self, section: &str, fields: &Table, source: &Source) {
        let given = |key: &str| {
            key.split_once('.')
                .is_some_and(|(of, field)| of == section && fields.contains_key(field))
        };
        for setting in self.settings.clone() {
            let former = setting.former_key().filter(|former| given(former));
            if let (Some(former), true) = (former, given(&setting.key())) {
                self.problem(source.clone(), former.to_owned(), both_names(&setting.key()));
            }
        }
    }

    fn named(&mut self, key: &str, value: Value, source: &Source) {
        match self.find(key, source) {
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
            let former =
                settings.clone().find(|setting| setting.former_variable().as_ref() == Some(name));
            let named_by_file =
                settings.clone().find(|setting| setting.file_variable().as_ref() == Some(name));
            if let Some(setting) = former {
                self.former_variable(setting, value.clone(), source, env);
                continue;
            }
            match (named, named_by_file) {
                (Some(setting), _) => self.give_text(setting, value.clone(), source),
                (None, Some(setting)) if env.contains_key(&setting.variable()) => {
                    let message =
                        format!("is also set by {}: set only one of the two", setting.variable());
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

    fn former_variable(
        &mut self,
        setting: Setting,
        value: String,
        source: Source,
        env: &BTreeMap<String, String>,
    ) {
        if env.contains_key(&setting.variable()) {
            let former = setting.former_key().map(str::to_owned);
            return self.problem(source, former, both_names(&setting.variable()));
        }
        self.note_former_name(setting, &source);
        self.give_text(setting, value, source);
    }

    /// Reports variables with one underscore instead of two: they would be ignored as variables of
    /// other programs.
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
            Ok(text) if text.trim().is_empty() => {
                self.problem(source, setting.key(), "the file is empty");
            }
            Ok(text) => self.give_text(setting, text.trim_end().to_owned(), source),
            // Without the path: if the two variables were mixed up, it is the secret.
            Err(error) => {
                let message = format!("cannot read the file: {}", reason(&error));
                self.problem(source, setting.key(), message);
            }
        }
    }

    fn flags(&mut self, flags: Vec<(String, String)>) {
        for (key, value) in flags {
            match self.find(&key, &Source::Flag) {
                Some(setting) => match setting.file_variable() {
                    Some(variable) => {
                        let message = format!(
                            "is a secret and must not be on a command line: set {variable}"
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
        let source = Source::Variable("RUST_LOG".into());
        let filter = env.get("RUST_LOG").filter(|filter| !filter.is_empty());
        if let (Some(filter), Some(setting)) = (filter, self.find("log.filter", &source)) {
            self.give(setting, Value::String(filter.clone()), source);
        }
    }

    fn trace_export(&mut self, env: &BTreeMap<String, String>) {
        match TraceExport::read(env) {
            Ok(export) => self.trace_export = export,
            Err(problems) => {
                for (variable, message) in problems {
                    self.problem(Source::Variable(variable), "traces".to_owned(), message);
                }
            }
        }
    }

    fn unknown(&mut self, key: &str, source: &Source) {
        let near = nearest(key, self.settings.iter().map(Setting::key));
        self.problem(source.clone(), key.to_owned(), unknown_name(near));
    }
}

/// Why a file cannot be read as text.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

fn both_names(present: &str) -> String {
    format!("is the former name of {present}, which is also set: remove the former name")
}

fn unknown_name(near: Option<String>) -> String {
    match near {
        Some(near) => format!("unknown setting; did you mean {near}?"),
        None => "unknown setting".into(),
    }
}

/// Line number and reason. The error's `Display` would also print the line, which may contain a
/// secret.
fn syntax_error(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

#[cfg(test)]
mod tests;
