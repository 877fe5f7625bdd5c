//! Walks along a chain, page by page.

use std::time::Duration;

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use crate::audit::canonical::hash_of;
use crate::audit::entity::chain::{GENESIS, Model as Chain};
use crate::audit::entity::{Column, Entity, Model};
use crate::audit::service::Audit;
use crate::audit::service::verification::{
    BreakReason, ChainBreak, ChainPoint, Request, Verification,
};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::error::Result;

/// Records read and hashed at once: some milliseconds.
const PAGE: u64 = 250;

/// How far the times of a chain's records may be out of order: the clocks of two nodes differ by a
/// minute each at most, and a failed authentication is written up to a second after it happened.
const DISORDER: Duration = Duration::from_mins(5);

/// A verification under way.
pub(super) struct Walk<'a> {
    audit: &'a Audit,
    scope: &'a TenantScope,
    /// The position of the next record.
    next: i64,
    /// The hash that the next record must hold.
    previous: String,
    pub(super) first_seq: Option<i64>,
    /// The number of the last record.
    last_seq: Option<i64>,
    pub(super) found: Verification,
}

impl<'a> Walk<'a> {
    pub(super) fn new(audit: &'a Audit, scope: &'a TenantScope, chain: Chain) -> Self {
        let found = Verification {
            tenant: chain.tenant_id,
            verified: 0,
            broken: None,
            stopped_at: None,
            reached_head: chain.position == chain.anchor_position,
            anchor: ChainPoint::anchor_of(&chain),
            anchor_moved_at: chain.anchor_moved_at,
            head: ChainPoint::head_of(&chain),
            unchained_before: 0,
            unchained_since: 0,
        };
        let next = chain.anchor_position + 1;
        Self {
            audit,
            scope,
            next,
            previous: chain.anchor_hash,
            first_seq: chain.first_seq,
            last_seq: None,
            found,
        }
    }

    fn break_at(&mut self, position: i64, record: Option<&Model>, reason: BreakReason) {
        let record = record.map(|record| record.id);
        let broken = ChainBreak { position, record, reason };
        let order = |broken: &ChainBreak| (broken.reason.rank(), broken.position);
        if self.found.broken.as_ref().is_none_or(|first| order(&broken) < order(first)) {
            self.found.broken = Some(broken);
        }
    }

    async fn record_at(&self, position: i64) -> Result<Option<Model>> {
        let record = Entity::chained(self.scope).filter(Column::Position.eq(position));
        Ok(record.one(self.audit.database.reader()).await?)
    }

    /// The positions of the first and last record to verify.
    pub(super) async fn range(&self, request: &Request) -> Result<Option<(i64, i64)>> {
        let mut first = self.next;
        let mut last = self.found.head.position;
        if request.from.is_some() || request.to.is_some() {
            let Some(bounds) = self.period(request).await? else { return Ok(None) };
            if request.from.is_some() {
                first = first.max(bounds.0);
            }
            if request.to.is_some() {
                last = last.min(bounds.1);
            }
        }
        if let Some(after) = request.after {
            first = first.max(after.min(self.found.head.position) + 1);
        }
        Ok(Some((first, last)))
    }

    /// The first and the last position of the request's period. Only the records at its ends are
    /// read: a chain is in the order of time but for [`DISORDER`].
    async fn period(&self, request: &Request) -> Result<Option<(i64, i64)>> {
        let records = in_period(Entity::chained(self.scope), request);
        let times = || records.clone().select_only().column(Column::At);
        let reader = self.audit.database.reader();
        let oldest: Option<Timestamp> =
            times().order_by_asc(Column::At).into_tuple().one(reader).await?;
        let newest: Option<Timestamp> =
            times().order_by_desc(Column::At).into_tuple().one(reader).await?;
        let (Some(oldest), Some(newest)) = (oldest, newest) else { return Ok(None) };
        let first = records
            .clone()
            .filter(Column::At.lte(oldest.plus(DISORDER)))
            .select_only()
            .column_as(Column::Position.min(), "first")
            .into_tuple::<Option<i64>>()
            .one(reader)
            .await?;
        let last = records
            .filter(Column::At.gte(newest.minus(DISORDER)))
            .select_only()
            .column_as(Column::Position.max(), "last")
            .into_tuple::<Option<i64>>()
            .one(reader)
            .await?;
        Ok(first.flatten().zip(last.flatten()))
    }

    /// Verifies the records between these positions.
    pub(super) async fn go(&mut self, first: i64, last: i64, request: &Request) -> Result<()> {
        let begun = self.scope.monotonic();
        self.begin_at(first).await?;
        while self.found.broken.is_none() && self.next <= last {
            if let Some((records, time)) = request.limits
                && (self.found.verified >= records || self.scope.monotonic().since(begun) >= time)
            {
                self.found.stopped_at = Some(self.next - 1);
                return Ok(());
            }
            let left = request.limits.map_or(PAGE, |(most, _)| most - self.found.verified);
            self.verify_page(last, left.min(PAGE)).await?;
        }
        if self.found.broken.is_none() { self.verify_end().await } else { Ok(()) }
    }

    /// Finds the hash before the first record.
    async fn begin_at(&mut self, first: i64) -> Result<()> {
        if first == self.next {
            return Ok(());
        }
        match self.record_at(first - 1).await? {
            Some(before) => {
                self.next = first;
                self.previous = before.hash.unwrap_or_default();
            }
            None => self.pass_gap(first - 1).await?,
        }
        Ok(())
    }

    async fn verify_page(&mut self, last: i64, most: u64) -> Result<()> {
        // Held over the statement too: verifications take turns page by page.
        let _guard = self.audit.verifying.lock().await;
        let records = Entity::chained(self.scope)
            .filter(Column::Position.gte(self.next))
            .filter(Column::Position.lte(last))
            .order_by_asc(Column::Position)
            .limit(most)
            .all(self.audit.database.reader())
            .await?;
        for record in &records {
            if record.position != Some(self.next) {
                return self.pass_gap(self.next).await;
            }
            let hash = hash_of(record);
            // The number, which is in no hash, rises along the chain.
            let is_in_order = self.last_seq.is_none_or(|last| last < record.seq);
            self.last_seq = Some(record.seq);
            if hash.is_none() || hash != record.hash || !is_in_order {
                self.break_at(self.next, Some(record), BreakReason::Changed);
                return Ok(());
            }
            if record.previous_hash.as_ref() != Some(&self.previous) {
                self.break_at(self.next, Some(record), BreakReason::Unlinked);
                return Ok(());
            }
            self.previous = hash.unwrap_or_default();
            self.next += 1;
            self.found.verified += 1;
        }
        if records.is_empty() { self.pass_gap(self.next).await } else { Ok(()) }
    }

    /// No record has that position: it was pruned meanwhile, or the chain is broken.
    async fn pass_gap(&mut self, position: i64) -> Result<()> {
        let chain = self.audit.chain(self.scope).await?;
        if chain.anchor_position < position {
            self.break_at(position, None, BreakReason::Missing);
            return Ok(());
        }
        self.next = chain.anchor_position + 1;
        self.previous.clone_from(&chain.anchor_hash);
        self.found.anchor = ChainPoint::anchor_of(&chain);
        self.found.anchor_moved_at = chain.anchor_moved_at;
        Ok(())
    }

    /// Compares the last verified record with the head, or with the record behind it.
    async fn verify_end(&mut self) -> Result<()> {
        let last = self.next - 1;
        let head = &self.found.head;
        if last == head.position {
            self.found.reached_head = true;
            if self.previous != head.hash {
                let record = self.record_at(last).await?;
                self.break_at(last, record.as_ref(), BreakReason::OtherHead);
            }
            return Ok(());
        }
        if last > head.position {
            return Ok(());
        }
        match self.record_at(self.next).await? {
            None => self.pass_gap(self.next).await,
            Some(behind) => {
                if behind.previous_hash.as_ref() != Some(&self.previous) {
                    self.break_at(self.next, Some(&behind), BreakReason::Unlinked);
                }
                Ok(())
            }
        }
    }

    /// Pruning moves the anchor in the transaction that deletes the records before it.
    pub(super) async fn find_record_before_anchor(&mut self) -> Result<()> {
        let before = Entity::chained(self.scope)
            .filter(Column::Position.lte(self.found.anchor.position))
            .order_by_asc(Column::Position);
        if let Some(record) = before.one(self.audit.database.reader()).await? {
            let position = record.position.unwrap_or_default();
            self.break_at(position, Some(&record), BreakReason::BeforeAnchor);
        }
        Ok(())
    }

    /// The head moves in the transaction that writes the record.
    pub(super) async fn find_record_behind_head(&mut self) -> Result<()> {
        let newest = Entity::chained(self.scope).order_by_desc(Column::Position);
        let newest = newest.one(self.audit.database.reader()).await?;
        // Read after the record: the head is then at least as new.
        let head = self.audit.chain(self.scope).await?.position;
        let newest = newest.and_then(|record| record.position);
        let Some(newest) = newest.filter(|newest| *newest > head) else { return Ok(()) };
        let behind = Entity::chained(self.scope)
            .filter(Column::Position.gt(head))
            .filter(Column::Position.lte(newest))
            .order_by_asc(Column::Position);
        if let Some(record) = behind.one(self.audit.database.reader()).await? {
            let position = record.position.unwrap_or_default();
            self.break_at(position, Some(&record), BreakReason::BehindHead);
        }
        Ok(())
    }

    pub(super) async fn compare(&mut self, expected: &[ChainPoint]) -> Result<()> {
        for point in expected {
            let record = self.record_at(point.position).await?;
            // Read after the record: pruning may have passed it since the verification began.
            let chain = self.audit.chain(self.scope).await?;
            let present = match &record {
                Some(record) => record.hash.clone(),
                None if point.position == chain.anchor_position => Some(chain.anchor_hash),
                None if point.position == 0 => Some(GENESIS.to_owned()),
                None => None,
            };
            let was_pruned = point.position < chain.anchor_position;
            let reason = match present {
                Some(hash) if hash == point.hash => continue,
                None if was_pruned => BreakReason::ExpectedPruned,
                _ => BreakReason::Unexpected,
            };
            self.break_at(point.position, record.as_ref(), reason);
        }
        Ok(())
    }
}

fn in_period(records: Select<Entity>, request: &Request) -> Select<Entity> {
    let records = records.apply_if(request.from, |all, from| all.filter(Column::At.gte(from)));
    records.apply_if(request.to, |all, to| all.filter(Column::At.lt(to)))
}
