//! `tenant-gateway audit export|verify`

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::Format;
use super::scope::{parse_tenant_id, with_core};
use super::{Failure, Output};
use crate::app::{Core, Environment, require_database};
use crate::audit::{Audit, ChainPoint, Period, Request, Verification};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::TenantId;

/// Commands about the audit log.
#[derive(Subcommand)]
pub enum Command {
    /// Print the records of all tenants in a period, one JSON object a line: those in no chain, then
    /// the chain of each tenant without gaps. A gateway may run beside it.
    Export {
        /// Only records of this moment or later, such as 2030-01-01T00:00:00Z; from the oldest on
        /// if absent.
        #[arg(long)]
        from: Option<String>,
        /// Only records before this moment; up to now if absent.
        #[arg(long)]
        to: Option<String>,
    },
    /// Verify that no record was changed, removed, inserted or moved.
    ///
    /// Each record holds the hash of the one before it about the same tenant. Prints a line a
    /// tenant; exit status 1 if a chain is broken. A gateway may run beside it.
    Verify(Verify),
}

/// The records to verify.
#[derive(Args)]
pub struct Verify {
    /// The tenant whose records are verified, without those below it.
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    tenant: Option<String>,
    /// Verify the records of all tenants, as without --tenant.
    #[arg(long)]
    all: bool,
    /// From the first record of this moment or later, such as 2030-01-01T00:00:00Z; from the oldest
    /// on if absent.
    #[arg(long)]
    from: Option<String>,
    /// Up to the last record before this moment; to the newest if absent.
    #[arg(long)]
    to: Option<String>,
    /// A place that the chain of --tenant must have: the head that an earlier verification printed.
    /// May be repeated.
    #[arg(long, value_name = "POSITION:HASH", requires = "tenant", value_parser = chain_point)]
    expect: Vec<ChainPoint>,
    /// Fail also if records outside of the chain are newer than its first record.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    output: Output,
}

/// Runs the command.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Export { from, to } => run_export(config, from, to).await,
        Command::Verify(arguments) => {
            with_core(config, async |core| verify(core, arguments).await).await
        }
    }
}

fn moment(argument: &'static str, text: Option<&str>) -> Result<Option<Timestamp>> {
    text.map(|text| Timestamp::parse(argument, text)).transpose()
}

fn chain_point(text: &str) -> Result<ChainPoint, String> {
    ChainPoint::read(text).ok_or_else(|| "must be POSITION:HASH, as the head is printed".to_owned())
}

fn require_order(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<()> {
    match (from, to) {
        (Some(from), Some(to)) if to < from => {
            Err(Error::bad_input("--to", "must not lie before --from"))
        }
        _ => Ok(()),
    }
}

async fn run_export(
    config: &Config,
    from: Option<String>,
    to: Option<String>,
) -> Result<(), Failure> {
    require_database(config)?;
    let core = Core::open(config, Environment::default()).await?;
    let start = moment("--from", from.as_deref())?.unwrap_or(Timestamp::MIN);
    let end = moment("--to", to.as_deref())?.unwrap_or_else(|| core.environment.clock.now());
    require_order(Some(start), Some(end))?;
    export(&core.audit, &(start..end), io::stdout().lock()).await
}

/// A reader that goes away, as `head` does, is no failure.
async fn export(audit: &Audit, period: &Period, out: impl Write) -> Result<(), Failure> {
    let mut out = BufWriter::new(out);
    audit.export(period, |record| Ok::<_, Failure>(written(writeln!(out, "{record}"))?)).await?;
    let _is_over = written(out.flush())?;
    Ok(())
}

/// Breaks off if the reader has gone away.
fn written(written: io::Result<()>) -> io::Result<ControlFlow<()>> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        written => written.map(ControlFlow::Continue),
    }
}

async fn verify(core: &Core, arguments: Verify) -> Result<(), Failure> {
    let Verify { tenant, from, to, expect, strict, output, .. } = arguments;
    let from = moment("--from", from.as_deref())?;
    let to = moment("--to", to.as_deref())?;
    require_order(from, to)?;
    let request = Request { from, to, expected: expect, ..Request::default() };
    let tenant = tenant.map(|id| parse_tenant_id("--tenant", &id)).transpose()?;
    let found = match tenant {
        Some(tenant) => vec![verify_one(core, tenant, &request).await?],
        None => verify_all(core, &request).await?,
    };
    print_found(output, &found)?;
    let broken = found.iter().filter(|found| found.broken.is_some()).count();
    if broken > 0 {
        let tenants = if broken == 1 { "1 tenant" } else { &format!("{broken} tenants") };
        return Err(Error::internal(format!(
            "the audit log of {tenants} does not verify: see docs/runbooks/audit-broken.md"
        ))
        .into());
    }
    let later: u64 = found.iter().map(|found| found.unchained_since).sum();
    if strict && later > 0 {
        return Err(Error::internal(format!(
            "{later} audit records are outside of the chains and newer than their first records"
        ))
        .into());
    }
    Ok(())
}

/// A tenant that is not in the log and has no chain is unknown: a wrong id must not look intact.
async fn verify_one(core: &Core, tenant: TenantId, request: &Request) -> Result<Verification> {
    let scope = core.operator(tenant);
    let found = core.audit.verify(&scope, request).await?;
    let is_empty = found.head.position == 0 && found.unchained_before == 0;
    if is_empty && found.broken.is_none() {
        core.tenants.find(&scope, &tenant.to_string()).await?;
    }
    Ok(found)
}

async fn verify_all(core: &Core, request: &Request) -> Result<Vec<Verification>> {
    let mut all = Vec::new();
    let mut last = None;
    while let Some(tenant) = core.audit.tenant_behind(last).await? {
        all.push(core.audit.verify(&core.operator(tenant), request).await?);
        last = Some(tenant);
    }
    Ok(all)
}

/// A table with one cell a value, or JSON with nested objects as `auditVerify` has them.
fn print_found(output: Output, found: &[Verification]) -> io::Result<()> {
    let columns = [
        "tenantID",
        "outcome",
        "verified",
        "brokenAt",
        "reason",
        "anchor",
        "head",
        "unchained",
        "unchainedLater",
    ];
    let shown = match output.output {
        Format::Table => row,
        Format::Json => object,
    };
    output.list(&columns, &found.iter().map(shown).collect::<Vec<_>>())
}

fn row(found: &Verification) -> Value {
    let broken = found.broken.as_ref();
    json!({
        "tenantID": found.tenant,
        "outcome": found.outcome(),
        "verified": found.verified,
        "brokenAt": broken.map(|broken| broken.position),
        "reason": broken.map(|broken| broken.reason.as_str()),
        "anchor": found.anchor.position,
        "head": found.head.to_string(),
        "unchained": found.unchained_before,
        "unchainedLater": found.unchained_since,
    })
}

fn object(found: &Verification) -> Value {
    let point = |point: &ChainPoint| json!({ "position": point.position, "hash": point.hash });
    let broken = found.broken.as_ref().map(|broken| {
        json!({
            "position": broken.position,
            "recordID": broken.record,
            "reason": broken.reason.as_str(),
        })
    });
    json!({
        "tenantID": found.tenant,
        "outcome": found.outcome(),
        "verifiedRecords": found.verified,
        "firstBroken": broken,
        "anchor": point(&found.anchor),
        "anchorMovedAt": found.anchor_moved_at.map(|moment| moment.to_string()),
        "head": point(&found.head),
        "unchainedRecords": found.unchained_before,
        "unchainedLaterRecords": found.unchained_since,
    })
}
