//! Verifies the chain of a tenant. Writers and the pruning go on meanwhile.

mod walk;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};

use self::walk::Walk;
use super::Audit;
use super::verification::{Request, Verification};
use crate::audit::entity::chain::{self, Model as Chain};
use crate::audit::entity::{Column, Entity};
use crate::auth::TenantScope;
use crate::error::Result;
use crate::ids::TenantId;
use crate::metrics::VerificationOutcome;

impl Audit {
    /// Verifies the chain of the scope's own tenant, without those below it, and logs and counts the
    /// outcome.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn verify(&self, scope: &TenantScope, request: &Request) -> Result<Verification> {
        let _permit = self.verifying_each.acquire().await;
        let chain = self.chain(scope).await?;
        let mut walk = Walk::new(self, scope, chain);
        walk.find_head_before_anchor();
        walk.find_record_before_anchor().await?;
        if let Some((before, last)) = walk.range(request).await? {
            walk.go(before, last, request).await?;
        }
        walk.find_record_behind_head().await?;
        walk.compare(&request.expected).await?;
        let mut found = walk.found;
        self.count_unchained(scope, request, walk.first_seq, &mut found).await?;
        self.metrics.count_audit_verification(counted_outcome(&found));
        log(&found);
        Ok(found)
    }

    /// The tenant with audit records or a chain that comes after that one, in the order of ids: for
    /// the operator alone.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn tenant_behind(&self, tenant: Option<TenantId>) -> Result<Option<TenantId>> {
        let reader = self.database.reader();
        let of_record: Option<TenantId> = Entity::behind(tenant)
            .select_only()
            .column(Column::TenantId)
            .into_tuple()
            .one(reader)
            .await?;
        let of_chain = chain::Entity::behind(tenant).one(reader).await?;
        let of_chain = of_chain.map(|chain| chain.tenant_id);
        Ok([of_record, of_chain].into_iter().flatten().min())
    }

    async fn chain(&self, scope: &TenantScope) -> Result<Chain> {
        let chain = chain::Entity::of_tenant(scope).one(self.database.reader()).await?;
        Ok(chain.unwrap_or_else(|| Chain::empty(scope.tenant())))
    }

    async fn count_unchained(
        &self,
        scope: &TenantScope,
        request: &Request,
        first_seq: Option<i64>,
        found: &mut Verification,
    ) -> Result<()> {
        let unchained = Entity::unchained(scope);
        let first = first_seq.unwrap_or(i64::MAX);
        let before = unchained.clone().filter(Column::Seq.lt(first));
        let since = unchained.filter(Column::Seq.gt(first));
        found.unchained_before = self.count_newest(before, request).await?;
        found.unchained_since = self.count_newest(since, request).await?;
        Ok(())
    }

    /// How many of the newest [`Verification::UNCHAINED_MAX`] records are in the request's period.
    /// The limit comes first: it bounds the rows that are read, not only those that are counted.
    async fn count_newest(&self, records: Select<Entity>, request: &Request) -> Result<u64> {
        let newest = records
            .select_only()
            .column(Column::At)
            .order_by_desc(Column::Seq)
            .limit(Verification::UNCHAINED_MAX)
            .into_query();
        let count = Query::select()
            .expr_as(Expr::cust("COUNT(*)"), "n")
            .from_subquery(newest, "newest")
            .apply_if(request.from, |count, from| {
                count.and_where(Expr::col(Column::At).gte(from));
            })
            .apply_if(request.to, |count, to| {
                count.and_where(Expr::col(Column::At).lt(to));
            })
            .to_owned();
        let row = self.database.reader().query_one(&count).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

/// The outcome as a label of the metrics. A caller may expect anything: a chain that only differs
/// from that is counted apart, because a broken chain alerts.
fn counted_outcome(found: &Verification) -> VerificationOutcome {
    match (&found.broken, found.stopped_at) {
        (Some(broken), _) if broken.reason.is_of_expectation() => VerificationOutcome::Differs,
        (Some(_), _) => VerificationOutcome::Broken,
        (None, Some(_)) => VerificationOutcome::Partial,
        (None, None) => VerificationOutcome::Intact,
    }
}

fn log(found: &Verification) {
    let tenant = found.tenant;
    let outcome = found.outcome();
    let verified = found.verified;
    if let Some(broken) = &found.broken {
        let position = broken.position;
        let reason = broken.reason.as_str();
        if broken.reason.is_of_expectation() {
            tracing::warn!(%tenant, outcome, verified, position, reason, "audit chain differs");
        } else {
            tracing::error!(%tenant, outcome, verified, position, reason, "audit chain is broken");
        }
    } else if found.reached_head {
        tracing::info!(%tenant, outcome, verified, head = %found.head, "audit chain verified");
    } else {
        tracing::info!(%tenant, outcome, verified, "audit chain verified in part");
    }
}
