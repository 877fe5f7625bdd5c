//! `tenant-gateway config check|show`. That the settings could be read at all is already known
//! here.

use clap::Subcommand;

use super::output::Format;
use super::{Failure, Output, print};
use crate::config::Config;
use crate::error::Error;

/// What to do with the settings.
#[derive(Subcommand)]
pub enum Command {
    /// Say whether they are right; if not, every problem at once.
    Check,
    /// Print those in force, as TOML or JSON, with secrets hidden.
    Show {
        #[command(flatten)]
        output: Output,
    },
}

/// Does it.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Check => Ok(print("the settings are right\n")?),
        Command::Show { output } => match output.output {
            Format::Table => Ok(print(&config.show())?),
            Format::Json => {
                Ok(output.object(&serde_json::to_value(config).map_err(Error::internal)?)?)
            }
        },
    }
}
