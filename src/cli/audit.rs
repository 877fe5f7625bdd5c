//! `tenant-gateway audit export`

use std::io::{self, BufWriter, Write};

use clap::Subcommand;

use super::Failure;
use crate::app::{Core, Environment, require_database};
use crate::audit::{Audit, Period};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::{Error, Result};

/// What to do with the audit log.
#[derive(Subcommand)]
pub enum Command {
    /// Print the records of all tenants in a period, one JSON object a line, in the order in which
    /// they were added. A gateway may run beside it.
    Export {
        /// Only records of this moment or later, such as 2030-01-01T00:00:00Z; from the oldest on
        /// if absent.
        #[arg(long)]
        from: Option<String>,
        /// Only records before this moment; up to now if absent.
        #[arg(long)]
        to: Option<String>,
    },
}

/// Runs the command: prints records as JSON lines.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    let Command::Export { from, to } = command;
    require_database(config)?;
    let core = Core::open(config, Environment::default()).await?;
    let moment = |argument, text: Option<String>| {
        text.map(|text| Timestamp::parse(argument, &text)).transpose()
    };
    let start = moment("--from", from)?.unwrap_or(Timestamp::from_millis(0));
    let end = moment("--to", to)?.unwrap_or_else(|| core.environment.clock.now());
    if end < start {
        return Err(Error::bad_input("--to", "must not lie before --from").into());
    }
    export(&core.audit, &(start..end), io::stdout().lock()).await
}

/// A reader that goes away, as `head` does, is no failure.
async fn export(audit: &Audit, period: &Period, out: impl Write) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    let mut last = 0;
    loop {
        let records = audit.export(period, last).await?;
        let Some((newest, _)) = records.last() else { break };
        last = *newest;
        let written = records.iter().try_for_each(|(_, record)| writeln!(out, "{record}"));
        if is_over(written)? {
            return Ok(());
        }
    }
    is_over(out.flush())?;
    Ok(())
}

/// Whether the reader has gone away.
fn is_over(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        written => written.map(|()| false),
    }
}
