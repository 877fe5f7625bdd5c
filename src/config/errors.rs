use std::{fmt, path::PathBuf};

/// The source of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The settings file.
    File(PathBuf),
    /// The environment variable of this name.
    Variable(String),
    /// The command line.
    Flag,
}

/// One invalid setting. It names the setting and never repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The source of the setting.
    pub source: Source,
    /// The setting as `section.key`; absent if a whole source cannot be read.
    pub key: Option<String>,
    /// The problem and, if known, the fix.
    pub message: String,
}

/// A setting that was given under its former name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerName {
    /// The source of the setting.
    pub source: Source,
    /// The name that was used, as `section.key`.
    pub former: &'static str,
    /// The present name, as `section.key`.
    pub present: String,
}

/// All problems of the settings in the order of their sources: file, variables, flags, then
/// settings that cannot be combined.
#[derive(Debug, thiserror::Error)]
#[error("invalid settings:\n{}", lines(.0))]
pub struct ConfigErrors(Vec<Problem>);

impl ConfigErrors {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// The problems, one by one.
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(|problem| format!("  {problem}")).collect();
    lines.join("\n")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}: {key}: {}", self.source, self.message),
            None => write!(f, "{}: {}", self.source, self.message),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => write!(f, "{}", path.display()),
            Source::Variable(name) => f.write_str(name),
            Source::Flag => f.write_str("command line"),
        }
    }
}
