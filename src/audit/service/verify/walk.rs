//! Walks along a chain, page by page.

use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use crate::audit::canonical::hash_of;
use crate::audit::entity::chain::{GENESIS, Model as Chain};
use crate::audit::entity::{Column, Entity, Model};
use crate::audit::service::Audit;
use crate::audit::service::verification::{
    BreakReason, ChainBreak, ChainPoint, Request, Verification,
};
use crate::auth::TenantScope;
use crate::error::Result;

/// Records read and hashed at once: some milliseconds.
const PAGE: u64 = 250;

/// A verification under way.
pub(super) struct Walk<'a> {
    audit: &'a Audit,
    scope: &'a TenantScope,
    /// The position of the last record that was verified or pruned. A forger may have moved it to
    /// the end of all positions: the next one is computed only before a record behind it.
    last: i64,
    /// The hash of that record, which the next one must hold.
    previous: String,
    pub(super) first_seq: Option<i64>,
    /// The number above which that of the next record must be.
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
        Self {
            audit,
            scope,
            last: chain.anchor_position,
            previous: chain.anchor_hash,
            first_seq: chain.first_seq,
            last_seq: chain.first_seq.map(|first| first.saturating_sub(1)),
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

    /// The position before the first record to verify, and that of the last one.
    pub(super) async fn range(&self, request: &Request) -> Result<Option<(i64, i64)>> {
        let mut before = self.last;
        let mut last = self.found.head.position;
        if request.from.is_some() || request.to.is_some() {
            let Some(bounds) = self.period(request).await? else { return Ok(None) };
            if request.from.is_some() {
                before = before.max(bounds.0.saturating_sub(1));
            }
            if request.to.is_some() {
                last = last.min(bounds.1);
            }
        }
        if let Some(after) = request.after {
            before = before.max(after.min(self.found.head.position));
        }
        Ok(Some((before, last)))
    }

    /// The lowest and the highest position in the request's period. Both are of any record in it:
    /// times need not rise along a chain, if a clock was set or somebody changed them.
    async fn period(&self, request: &Request) -> Result<Option<(i64, i64)>> {
        let bounds: Option<(Option<i64>, Option<i64>)> =
            in_period(Entity::chained(self.scope), request)
                .select_only()
                .column_as(Column::Position.min(), "first")
                .column_as(Column::Position.max(), "last")
                .into_tuple()
                .one(self.audit.database.reader())
                .await?;
        Ok(bounds.and_then(|(first, last)| first.zip(last)))
    }

    /// Verifies the records behind the position `before` up to `last`.
    pub(super) async fn go(&mut self, before: i64, last: i64, request: &Request) -> Result<()> {
        let begun = self.scope.monotonic();
        self.begin_behind(before).await?;
        while self.found.broken.is_none() && self.last < last {
            if let Some((records, time)) = request.limits
                && (self.found.verified >= records || self.scope.monotonic().since(begun) >= time)
            {
                self.found.stopped_at = Some(self.last);
                return Ok(());
            }
            let left = request.limits.map_or(PAGE, |(most, _)| most - self.found.verified);
            self.verify_page(last, left.min(PAGE)).await?;
        }
        if self.found.broken.is_none() { self.verify_end().await } else { Ok(()) }
    }

    /// Finds the record before the first one.
    async fn begin_behind(&mut self, position: i64) -> Result<()> {
        if position == self.last {
            return Ok(());
        }
        match self.record_at(position).await? {
            Some(before) => {
                self.last = position;
                self.last_seq = Some(before.seq);
                self.previous = before.hash.unwrap_or_default();
            }
            None => self.pass_gap(position).await?,
        }
        Ok(())
    }

    async fn verify_page(&mut self, last: i64, most: u64) -> Result<()> {
        // Held over the statement too: verifications take turns page by page.
        let _guard = self.audit.verifying.lock().await;
        let records = Entity::chained(self.scope)
            .filter(Column::Position.gt(self.last))
            .filter(Column::Position.lte(last))
            .order_by_asc(Column::Position)
            .limit(most)
            .all(self.audit.database.reader())
            .await?;
        for record in &records {
            let next = self.last + 1;
            if record.position != Some(next) {
                return self.pass_gap(next).await;
            }
            if let Some(reason) = self.fault_of(record) {
                self.break_at(next, Some(record), reason);
                return Ok(());
            }
            self.last = next;
            self.last_seq = Some(record.seq);
            self.previous = record.hash.clone().unwrap_or_default();
            self.found.verified += 1;
        }
        if records.is_empty() { self.pass_gap(self.last + 1).await } else { Ok(()) }
    }

    /// Why the record cannot be the next one.
    fn fault_of(&self, record: &Model) -> Option<BreakReason> {
        if !is_as_hashed(record) || !self.is_in_order(record) {
            Some(BreakReason::Changed)
        } else if record.previous_hash.as_ref() != Some(&self.previous) {
            Some(BreakReason::Unlinked)
        } else {
            None
        }
    }

    /// The number, which is in no hash, rises along the chain.
    fn is_in_order(&self, record: &Model) -> bool {
        self.last_seq.is_none_or(|last| last < record.seq)
    }

    /// No record has that position: it was pruned meanwhile, or the chain is broken.
    async fn pass_gap(&mut self, position: i64) -> Result<()> {
        let chain = self.audit.chain(self.scope).await?;
        if chain.anchor_position < position {
            self.break_at(position, None, BreakReason::Missing);
            return Ok(());
        }
        self.last = chain.anchor_position;
        self.previous.clone_from(&chain.anchor_hash);
        self.found.anchor = ChainPoint::anchor_of(&chain);
        self.found.anchor_moved_at = chain.anchor_moved_at;
        Ok(())
    }

    /// Compares the last verified record with the head, or with the record behind it.
    async fn verify_end(&mut self) -> Result<()> {
        let head = &self.found.head;
        if self.last == head.position {
            self.found.reached_head = true;
            if self.previous != head.hash {
                let record = self.record_at(self.last).await?;
                self.break_at(self.last, record.as_ref(), BreakReason::OtherHead);
            }
            return Ok(());
        }
        if self.last > head.position {
            return Ok(());
        }
        let next = self.last + 1;
        match self.record_at(next).await? {
            None => self.pass_gap(next).await,
            Some(behind) => {
                if behind.previous_hash.as_ref() != Some(&self.previous) {
                    self.break_at(next, Some(&behind), BreakReason::Unlinked);
                } else if !self.is_in_order(&behind) {
                    self.break_at(next, Some(&behind), BreakReason::Changed);
                }
                Ok(())
            }
        }
    }

    /// The head is never before the anchor: only records up to it are pruned.
    pub(super) fn find_head_before_anchor(&mut self) {
        let head = self.found.head.position;
        if head < self.found.anchor.position {
            self.break_at(head, None, BreakReason::OtherHead);
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
            if let Some(changed) = record.as_ref().filter(|record| !is_as_hashed(record)) {
                self.break_at(point.position, Some(changed), BreakReason::Changed);
                continue;
            }
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

/// Whether the record has the hash that was stored with it.
fn is_as_hashed(record: &Model) -> bool {
    record.hash.is_some() && hash_of(record) == record.hash
}

fn in_period(records: Select<Entity>, request: &Request) -> Select<Entity> {
    let records = records.apply_if(request.from, |all, from| all.filter(Column::At.gte(from)));
    records.apply_if(request.to, |all, to| all.filter(Column::At.lt(to)))
}
