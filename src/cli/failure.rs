//! The reason why a command failed.

use std::fmt;

use crate::config::ConfigErrors;
use crate::error::Error;

/// The reason why a command failed.
pub enum Failure {
    /// The settings are invalid.
    Settings(ConfigErrors),
    /// The work failed.
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Settings(errors)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Error(Error::internal(error))
    }
}

impl fmt::Display for Failure {
    /// For the person at the command line, with the cause.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(errors) => errors.fmt(f),
            Self::Error(error) => write!(f, "error: {}", error.explained()),
        }
    }
}
