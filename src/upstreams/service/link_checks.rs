//! Checks of links, and their results.

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Upstreams;
use super::connections::not_linked;
use crate::audit::{Attempt, Entry};
use crate::auth::TenantScope;
use crate::clock::Timestamp;
use crate::database::Write;
use crate::error::{Error, Result};
use crate::ids::{TenantId, UpstreamId};
use crate::roles::Permission;
use crate::upstreams::connection::Connection;
use crate::upstreams::entity::link;
use crate::upstreams::link_check::{LinkCheck, LinkState};
use crate::upstreams::model::{Link, System, subject};

impl Upstreams {
    /// The link of a tenant of the scope to its installation of that system, with that tenant's
    /// scope and connection, to check it.
    ///
    /// # Errors
    /// `NOT_FOUND` for a tenant outside the scope, `FORBIDDEN` if the caller may not manage its
    /// upstreams, `UPSTREAM_NOT_LINKED` if it has no such link.
    pub async fn link_to_test(
        &self,
        scope: &TenantScope,
        tenant: TenantId,
        system: System,
    ) -> Result<(TenantScope, Link, Connection)> {
        let tenants = crate::tenants::entity::Entity::of_tenant(scope)
            .filter(crate::tenants::entity::Column::Id.eq(tenant));
        let found = tenants.one(self.database.reader()).await?;
        found.ok_or_else(|| Error::not_found("tenant"))?;
        let scope = scope.within(tenant, Permission::ManageUpstreams).await?;
        let links =
            link::Entity::of_this_tenant(&scope).filter(link::Column::System.eq(system.as_str()));
        let link = links.one(self.database.reader()).await?;
        let link = link.ok_or_else(|| not_linked(&scope, system))?;
        let connection = self.connection_of(&scope, &link).await?;
        Ok((scope, link, connection))
    }

    /// Records that the remote tenant of a link is about to be looked up with the installation's
    /// stored credential.
    ///
    /// # Errors
    /// If the database refuses; it must not be looked up then.
    pub async fn begin_link_test<'a>(
        &'a self,
        scope: &'a TenantScope,
        link: &Link,
    ) -> Result<Attempt<'a>> {
        let entry = Entry {
            operation: "testLink",
            tenant: link.tenant_id,
            subject: subject(link.id),
            before: None,
            after: None,
        };
        Attempt::begin(&self.database, &*self.entropy, scope, entry).await
    }

    /// At most `at_most` pending links whose last check is older than `before`, the oldest check
    /// first. For the gateway itself, which checks each in the scope of its tenant.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn unverified_links(&self, before: Timestamp, at_most: u64) -> Result<Vec<Link>> {
        let links = link::Entity::unverified(before).order_by_asc(link::Column::FailedAt);
        let links = links.order_by_asc(link::Column::CreatedAt).limit(at_most);
        Ok(links.all(self.database.reader()).await?)
    }

    /// Stores the result of a check, and returns the link as it is now; `None` if it was deleted
    /// meanwhile.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn record_check(
        &self,
        scope: &TenantScope,
        connection: &Connection,
        check: LinkCheck,
    ) -> Result<Option<Link>> {
        let Some(id) = connection.link else { return Ok(None) };
        let now = scope.now();
        let failure = check.failure().map(|failure| failure.as_str().to_owned());
        let failed_at = failure.is_some().then_some(now);
        let mut update = link::Entity::checked(id)
            .col_expr(link::Column::Failure, Expr::val(failure))
            .col_expr(link::Column::FailedAt, Expr::val(failed_at));
        if let Some(state) = check.state() {
            update = update.col_expr(link::Column::Verification, Expr::val(state.as_str()));
        }
        if check == LinkCheck::Verified {
            update = update.col_expr(link::Column::VerifiedAt, Expr::val(now));
        }
        let links = link::Entity::of_this_tenant(scope).filter(link::Column::Id.eq(id));
        let work = async |write: Arc<Write<'_>>| {
            update.clone().exec(write.on()).await?;
            Ok(links.clone().one(write.on()).await?)
        };
        let link = self.database.transaction(work).await?;
        self.connections.remove(&(connection.tenant, connection.system));
        Ok(link)
    }

    /// Records in the link whether the installation has the tenant, as a call showed. Writes only
    /// if that changes the stored result.
    pub async fn note_use(&self, scope: &TenantScope, connection: &Connection, exists: bool) {
        let check = if exists { LinkCheck::Verified } else { LinkCheck::Missing };
        if connection.link.is_none() || check.state() == Some(connection.verification) {
            return;
        }
        if let Err(error) = self.record_check(scope, connection, check).await {
            error.log_cause();
        }
    }
}

/// Resets the checks of all links to an installation: with another base URL or credential, earlier
/// results are no longer valid.
pub(super) async fn check_anew(write: &Write<'_>, upstream: UpstreamId) -> Result<()> {
    let update = link::Entity::to_check_anew(upstream)
        .col_expr(link::Column::Verification, Expr::val(LinkState::Pending.as_str()))
        .col_expr(link::Column::Failure, Expr::val(None::<String>))
        .col_expr(link::Column::FailedAt, Expr::val(None::<Timestamp>));
    update.exec(write.on()).await?;
    Ok(())
}
