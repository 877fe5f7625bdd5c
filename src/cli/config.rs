//! `tenant-gateway config check|show`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::output::Format;
use super::{Failure, Output, print};
use crate::config::{Config, ConfigErrors, Problem, TraceExport};
use crate::error::Error;

/// Commands about the settings.
#[derive(Subcommand)]
pub enum Command {
    /// Say whether they are valid; if not, every problem at once.
    Check {
        #[command(flatten)]
        output: Output,
    },
    /// Print those in force, as TOML or JSON, with secrets hidden.
    Show {
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the command.
pub fn run(config: Result<Config, ConfigErrors>, command: Command) -> Result<(), Failure> {
    match command {
        Command::Check { output } => check(config, output),
        Command::Show { output } => match output.output {
            Format::Table => Ok(print(&config?.show())?),
            Format::Json => {
                Ok(output.object(&serde_json::to_value(config?).map_err(Error::internal)?)?)
            }
        },
    }
}

fn check(config: Result<Config, ConfigErrors>, output: Output) -> Result<(), Failure> {
    if output.output == Format::Json {
        let problems: Vec<_> = match &config {
            Ok(_) => Vec::new(),
            Err(errors) => errors.problems().iter().map(problem).collect(),
        };
        let mut result = json!({ "valid": config.is_ok(), "problems": problems });
        if let Some(export) = config.as_ref().ok().and_then(|config| config.traces.export.as_ref())
        {
            result["traces"] = traces(export);
        }
        output.object(&result)?;
    } else if let Ok(config) = &config {
        print("the settings are valid\n")?;
        if let Some(export) = &config.traces.export {
            print(&format!("traces are exported {export}\n"))?;
        }
    }
    config?;
    Ok(())
}

/// Without the values of headers, which are secrets.
fn traces(export: &TraceExport) -> Value {
    let headers: Vec<_> = export.headers.iter().map(|(name, _)| name).collect();
    json!({
        "endpoint": export.endpoint.as_str(),
        "sampler": export.sampler.to_string(),
        "headers": headers,
    })
}

fn problem(problem: &Problem) -> Value {
    let Problem { source, key, message } = problem;
    json!({ "source": source.to_string(), "setting": key, "message": message })
}
