//! The verification of a chain in the graph.

use std::time::Duration;

use async_graphql::{Context, Enum, ID, InputObject, SimpleObject};

use crate::audit::service::{Audit, BreakReason, ChainBreak, ChainPoint, Request, Verification};
use crate::auth::graphql::{request, service};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::graph::graphql::DateTime;
use crate::paging::{cursor, read_cursor};
use crate::roles::Permission;

/// The most records that one call verifies.
const RECORDS_MAX: u64 = 20_000;

/// The time after which a call reads no further records.
const TIME_MAX: Duration = Duration::from_secs(3);

/// The maximum number of places in the argument `expected`.
const EXPECTED_MAX: usize = 20;

/// The outcome of a verification of the audit log.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum AuditVerificationOutcome {
    /// Every record is the one that was written, and none is missing.
    Intact,
    /// A record was changed, removed, inserted or moved, or the chain does not confirm an expected
    /// place; see `firstBroken`.
    Broken,
    /// The records verified so far are intact, and more are to be verified: continue with
    /// `endCursor`.
    Partial,
}

/// The reason why a chain of audit records is broken.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "BreakReason")]
pub enum AuditBreakReason {
    /// No record has the position: it was removed.
    #[graphql(name = "RECORD_MISSING")]
    Missing,
    /// The record does not match its hash: it was changed, or moved from another place or tenant. Or
    /// its number in the order of `auditLog` is not above that of the record before it.
    #[graphql(name = "RECORD_CHANGED")]
    Changed,
    /// The record does not hold the hash of the record before it: one of the two was replaced.
    #[graphql(name = "RECORD_UNLINKED")]
    Unlinked,
    /// The newest record is not the one that the head of the chain names, or the head is before the
    /// anchor.
    #[graphql(name = "HEAD_DIFFERS")]
    OtherHead,
    /// The record is behind the head of the chain: it was inserted, or the head was set back.
    #[graphql(name = "RECORD_BEHIND_HEAD")]
    BehindHead,
    /// The record is at or before the anchor, where all records were deleted: it was inserted.
    #[graphql(name = "RECORD_BEFORE_ANCHOR")]
    BeforeAnchor,
    /// The chain has another hash than the expected one at the position, or no record.
    #[graphql(name = "EXPECTED_HASH_DIFFERS")]
    Unexpected,
    /// The expected position is before the anchor. The record was deleted after `audit.retention`, or
    /// somebody moved the anchor: expect a newer place.
    #[graphql(name = "EXPECTED_RECORD_PRUNED")]
    ExpectedPruned,
}

/// A place in the chain of a tenant's audit records.
#[derive(SimpleObject)]
pub struct AuditChainPoint {
    /// The position of a record, from 1; 0 is the place before the first record.
    position: i64,
    /// The hash of the record, 64 hexadecimal digits; 64 zeros before the first record.
    hash: String,
}

/// A place that the chain of a tenant's audit records must have.
#[derive(InputObject)]
pub struct AuditChainPointInput {
    /// The position of the record, from 0.
    position: i64,
    /// The hash of the record, 64 hexadecimal digits.
    hash: String,
}

/// A place at which the chain of a tenant's audit records is broken.
#[derive(SimpleObject)]
pub struct AuditChainBreak {
    /// The position in the chain.
    position: i64,
    /// The UUID of the record at the position; null if there is none.
    #[graphql(name = "recordID")]
    record_id: Option<ID>,
    /// The reason why the chain is broken.
    reason: AuditBreakReason,
}

/// The result of a verification of a tenant's audit log.
#[derive(SimpleObject)]
pub struct AuditVerification {
    /// The tenant whose records were verified.
    #[graphql(name = "tenantID")]
    tenant_id: ID,
    /// The outcome.
    outcome: AuditVerificationOutcome,
    /// The number of records that this call verified and found intact.
    verified_records: u64,
    /// The first place at which the chain is broken; null if it is not.
    first_broken: Option<AuditChainBreak>,
    /// The newest record that was deleted after `audit.retention`; position 0 if none was. The
    /// chain begins behind it.
    anchor: AuditChainPoint,
    /// When records were last deleted.
    anchor_moved_at: Option<DateTime>,
    /// The newest record when the verification began. Keep it elsewhere and give it back as
    /// `expected`: somebody who can write the whole database can compute a chain anew.
    head: AuditChainPoint,
    /// The number of records that were written before the gateway chained them, which are not
    /// protected. The newest 100000 are counted.
    unchained_records: u64,
    /// The number of records without a place in the chain that are newer than its first record: a
    /// node of an older version wrote them, or somebody else did. The newest 100000 are counted.
    unchained_later_records: u64,
    /// The cursor with which to continue; null unless the outcome is PARTIAL.
    end_cursor: Option<String>,
}

impl From<ChainPoint> for AuditChainPoint {
    fn from(point: ChainPoint) -> Self {
        Self { position: point.position, hash: point.hash }
    }
}

impl From<ChainBreak> for AuditChainBreak {
    fn from(broken: ChainBreak) -> Self {
        Self {
            position: broken.position,
            record_id: broken.record.map(|id| id.to_string().into()),
            reason: broken.reason.into(),
        }
    }
}

impl From<Verification> for AuditVerification {
    fn from(found: Verification) -> Self {
        let outcome = match (&found.broken, found.stopped_at) {
            (Some(_), _) => AuditVerificationOutcome::Broken,
            (None, Some(_)) => AuditVerificationOutcome::Partial,
            (None, None) => AuditVerificationOutcome::Intact,
        };
        let stopped_at = found.stopped_at.filter(|_| found.broken.is_none());
        Self {
            tenant_id: found.tenant.to_string().into(),
            outcome,
            verified_records: found.verified,
            first_broken: found.broken.map(Into::into),
            anchor: found.anchor.into(),
            anchor_moved_at: found.anchor_moved_at.map(Into::into),
            head: found.head.into(),
            unchained_records: found.unchained_before,
            unchained_later_records: found.unchained_since,
            end_cursor: stopped_at.map(|position| cursor(&position)),
        }
    }
}

/// The arguments of `auditVerify`.
pub struct Arguments {
    /// From this time.
    pub from: Option<String>,
    /// Before this time.
    pub to: Option<String>,
    /// The cursor with which an earlier call ended.
    pub after: Option<String>,
    /// The places that the chain must have.
    pub expected: Option<Vec<AuditChainPointInput>>,
}

/// Verifies the chain of the tenant in context.
pub async fn verify(ctx: &Context<'_>, arguments: Arguments) -> Result<AuditVerification> {
    let scope = request(ctx)?.scope(Permission::ReadAuditLog)?;
    let moment = |argument, text: Option<String>| {
        text.map(|text| Timestamp::parse(argument, &text)).transpose()
    };
    let after = arguments.after.as_deref().map(|after| read_cursor::<i64>("after", after));
    let asked = Request {
        from: moment("from", arguments.from)?,
        to: moment("to", arguments.to)?,
        after: after.transpose()?,
        expected: expected(arguments.expected.unwrap_or_default())?,
        limits: Some((RECORDS_MAX, TIME_MAX)),
    };
    Ok(service::<Audit>(ctx)?.verify(&scope, &asked).await?.into())
}

fn expected(points: Vec<AuditChainPointInput>) -> Result<Vec<ChainPoint>> {
    if points.len() > EXPECTED_MAX {
        let must = format!("must have at most {EXPECTED_MAX} places");
        return Err(Error::bad_input("expected", &must));
    }
    let read = |point: AuditChainPointInput| {
        let text = format!("{}:{}", point.position, point.hash);
        ChainPoint::read(&text).ok_or_else(|| {
            Error::bad_input("expected", "must have positions from 0 and hashes of 64 digits")
        })
    };
    points.into_iter().map(read).collect()
}
