//! The request for a verification of a chain, and its result.

use std::time::Duration;

use crate::audit::entity::chain::{GENESIS, Model as Chain};
use crate::clock::Timestamp;
use crate::ids::{AuditId, TenantId};

/// A place in a chain: the position of a record, and its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPoint {
    /// The position, from 1; 0 is the place before the first record.
    pub position: i64,
    /// The hash in hexadecimal digits; 64 zeros before the first record.
    pub hash: String,
}

impl ChainPoint {
    pub(super) fn head_of(chain: &Chain) -> Self {
        Self { position: chain.position, hash: chain.hash.clone() }
    }

    pub(super) fn anchor_of(chain: &Chain) -> Self {
        Self { position: chain.anchor_position, hash: chain.anchor_hash.clone() }
    }

    /// Reads `POSITION:HASH`, as it is displayed; `None` for anything else.
    pub fn read(text: &str) -> Option<Self> {
        let (position, hash) = text.split_once(':')?;
        let position = position.parse().ok().filter(|position| *position >= 0)?;
        let is_hash =
            hash.len() == GENESIS.len() && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Self { position, hash: hash.to_ascii_lowercase() })
    }
}

impl std::fmt::Display for ChainPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.position, self.hash)
    }
}

/// The part of a chain to verify: all of it by default.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// From the first record of this moment or later.
    pub from: Option<Timestamp>,
    /// Up to the last record before this moment.
    pub to: Option<Timestamp>,
    /// From the record behind this position, with which an earlier part ended.
    pub after: Option<i64>,
    /// Places that the chain must have, as an earlier verification found them.
    pub expected: Vec<ChainPoint>,
    /// The most records, and the time after which no further ones are read. Without it, the
    /// verification goes on to the end.
    pub limits: Option<(u64, Duration)>,
}

/// Why a chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakReason {
    /// There is no record at the position.
    Missing,
    /// The record does not have the hash that was stored with it, or its number, which is in no
    /// hash, is not above that of the record before.
    Changed,
    /// The record does not hold the hash of the one before.
    Unlinked,
    /// The newest record is not the one that the chain's head names, or the head is before the
    /// anchor.
    OtherHead,
    /// The record lies behind the chain's head.
    BehindHead,
    /// The record lies before the chain's anchor, where all records were deleted.
    BeforeAnchor,
    /// The chain has another hash at the position than the one expected, or none.
    Unexpected,
    /// The position is before the anchor: the retention deleted the record, or somebody moved the
    /// anchor. It counts as broken, since nothing tells the two apart.
    ExpectedPruned,
}

impl BreakReason {
    /// Whether the chain differs from what its caller expected, and is whole in itself.
    pub const fn is_of_expectation(self) -> bool {
        matches!(self, Self::Unexpected | Self::ExpectedPruned)
    }

    /// Breaks of the chain itself are named before expectations that it does not meet, and these
    /// before those that cannot be compared.
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::Unexpected => 1,
            Self::ExpectedPruned => 2,
            _ => 0,
        }
    }

    /// The name of the reason in the API and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "RECORD_MISSING",
            Self::Changed => "RECORD_CHANGED",
            Self::Unlinked => "RECORD_UNLINKED",
            Self::OtherHead => "HEAD_DIFFERS",
            Self::BehindHead => "RECORD_BEHIND_HEAD",
            Self::BeforeAnchor => "RECORD_BEFORE_ANCHOR",
            Self::Unexpected => "EXPECTED_HASH_DIFFERS",
            Self::ExpectedPruned => "EXPECTED_RECORD_PRUNED",
        }
    }
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainBreak {
    /// The position.
    pub position: i64,
    /// The record at the position, if there is one.
    pub record: Option<AuditId>,
    /// Why it is broken there.
    pub reason: BreakReason,
}

/// The result of a verification.
#[derive(Clone, Debug)]
pub struct Verification {
    /// The tenant of the chain.
    pub tenant: TenantId,
    /// The number of records that were verified, without a broken one.
    pub verified: u64,
    /// The first place at which the chain is broken.
    pub broken: Option<ChainBreak>,
    /// The position of the last verified record, if a limit ended the verification.
    pub stopped_at: Option<i64>,
    /// Whether the newest record was verified.
    pub reached_head: bool,
    /// The newest record that was pruned.
    pub anchor: ChainPoint,
    /// When records were last pruned.
    pub anchor_moved_at: Option<Timestamp>,
    /// The newest record at the beginning of the verification.
    pub head: ChainPoint,
    /// The number of records of before the chain in the period, among the newest
    /// [`Verification::UNCHAINED_MAX`].
    pub unchained_before: u64,
    /// The number of records in no chain that are newer than the chain's first: written by an older
    /// version of the program, or by another one. Among the newest
    /// [`Verification::UNCHAINED_MAX`].
    pub unchained_since: u64,
}

impl Verification {
    /// The maximum number of unchained records that a verification reads, the newest first.
    pub const UNCHAINED_MAX: u64 = 100_000;

    /// The outcome: `INTACT`, `BROKEN`, or `PARTIAL` if a limit ended the verification.
    pub fn outcome(&self) -> &'static str {
        match (&self.broken, self.stopped_at) {
            (Some(_), _) => "BROKEN",
            (None, Some(_)) => "PARTIAL",
            (None, None) => "INTACT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_in_a_chain_is_read_as_it_is_displayed() {
        let point = ChainPoint { position: 7, hash: "0a".repeat(32) };
        assert_eq!(ChainPoint::read(&point.to_string()), Some(point));
        for wrong in ["7", "7:", "x:00", &format!("-1:{GENESIS}"), &format!("1:{GENESIS}0")] {
            assert_eq!(ChainPoint::read(wrong), None, "{wrong}");
        }
    }
}
