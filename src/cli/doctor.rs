//! `tenant-gateway doctor`

use std::time::Duration;

use clap::Args;

use super::output::{Format, print};
use super::{Failure, Output};
use crate::app::{Finding, FindingState, SettingsFiles, examine};
use crate::config::{Config, ConfigErrors};
use crate::error::Error;

/// How to check, and how to print the findings.
#[derive(Args)]
pub struct Arguments {
    /// The time in which all checks end, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    #[command(flatten)]
    output: Output,
}

/// Runs all checks, prints their findings, and fails if a check failed.
pub async fn run(
    config: Result<&Config, &ConfigErrors>,
    files: &SettingsFiles,
    arguments: &Arguments,
) -> Result<(), Failure> {
    // Boxed: the checks make a large future.
    let findings = Box::pin(examine(config, files, Duration::from_secs(arguments.timeout))).await;
    match arguments.output.output {
        Format::Table => print(&findings.iter().map(lines).collect::<String>())?,
        Format::Json => {
            let findings = serde_json::to_value(&findings).map_err(Error::internal)?;
            print(&format!("{findings}\n"))?;
        }
    }
    match findings.iter().filter(|finding| finding.state == FindingState::Failed).count() {
        0 => Ok(()),
        1 => Err(Error::internal("1 check failed").into()),
        failed => Err(Error::internal(format!("{failed} checks failed")).into()),
    }
}

/// A line with the finding and, below it, a line with the advice.
fn lines(finding: &Finding) -> String {
    let state = match finding.state {
        FindingState::Ok => "ok",
        FindingState::Warning => "warning",
        FindingState::Failed => "FAILED",
    };
    let line = format!("{state:8} {:11} {}\n", finding.check, finding.detail);
    match &finding.advice {
        Some(advice) => format!("{line}{:20} -> {advice}\n", ""),
        None => line,
    }
}
