//! The tables of tasks and of their histories.

/// Tasks.
pub mod task {
    use sea_orm::entity::prelude::*;
    use sea_orm::sea_query::Expr;
    use sea_orm::{Condition, QuerySelect};

    use crate::auth::TenantScope;
    use crate::clock::Timestamp;
    use crate::ids::{TaskId, TenantId, UpstreamId};
    use crate::integration_server::tasks::model::Phase;
    use crate::tenants::entity::below;

    /// Work that a caller began at an Integration Server.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "integration_server_tasks")]
    pub struct Model {
        /// The id.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: TaskId,
        /// The gateway tenant that it is about.
        pub tenant_id: TenantId,
        /// The installation.
        pub upstream_id: UpstreamId,
        /// The kind of the task, as the server names it.
        pub kind: String,
        /// The server's tenant that it is about; `None` while the task creates one.
        pub remote_tenant_id: Option<String>,
        /// The gateway tenant to link to the new tenant.
        pub link_tenant_id: Option<TenantId>,
        /// The intent as JSON, without passwords.
        pub intent: String,
        /// The caller that began it, as in the audit log.
        pub caller: String,
        /// The id of the request that began it.
        pub request_id: String,
        /// The name of a [`Phase`].
        pub phase: String,
        /// The server's identifier of the task, in the one text that all equal identifiers share.
        pub remote_task_id: Option<String>,
        /// The last known state, as the server's list of states writes it.
        pub state: Option<String>,
        /// The identifier of the tenant or report that it created.
        pub result_id: Option<String>,
        /// The last reported state, as JSON.
        pub snapshot: Option<String>,
        /// The number of the last change.
        pub sequence: i64,
        /// When the server created the task, by its own clock; before it reports that, when the
        /// record was created.
        pub started_at: Timestamp,
        /// When the gateway stops following it.
        pub deadline_at: Timestamp,
        /// The node that works on it.
        pub lease_owner: Option<Uuid>,
        /// When the lease of that node ends.
        pub lease_until: Timestamp,
        /// When the row was created, by the database's time.
        pub created_at: Timestamp,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// Tasks of the scope's tenant and of all below it whose identifier is known.
        pub fn of_tenant(scope: &TenantScope) -> Select<Self> {
            let known = Self::find().filter(Column::RemoteTaskId.is_not_null());
            known.filter(Column::TenantId.in_subquery(below(scope.tenant())))
        }

        /// Unfinished tasks of the scope's tenant itself that began at or after `since`.
        pub fn active(scope: &TenantScope, since: Timestamp) -> Select<Self> {
            let of_tenant = Self::find().filter(Column::TenantId.eq(scope.tenant()));
            of_tenant
                .filter(Column::CreatedAt.gte(since))
                .filter(Column::Phase.ne(Phase::Ended.as_str()))
        }

        /// How many tasks of all tenants are in each phase but the last: for figures of the whole
        /// gateway, which name no tenant.
        pub fn count_by_phase() -> Select<Self> {
            // As a literal: only then SQLite uses the index of unfinished tasks.
            let is_open = Expr::cust("phase <> 'ENDED'");
            let open = Self::find().select_only().column(Column::Phase);
            open.column_as(Column::Id.count(), "number").filter(is_open).group_by(Column::Phase)
        }

        /// Records of all tenants for these tasks of an installation. Only to know that they exist;
        /// never to show them.
        pub fn recorded(upstream: UpstreamId, remote: &[String]) -> Select<Self> {
            Self::find()
                .filter(Column::UpstreamId.eq(upstream))
                .filter(Column::RemoteTaskId.is_in(remote.iter().cloned()))
        }

        /// A task whose lease this node has.
        pub fn held(id: TaskId, node: Uuid) -> Select<Self> {
            Self::find().filter(Column::Id.eq(id)).filter(Column::LeaseOwner.eq(node))
        }

        /// A task by id. Callers have checked that the subscriber may see it.
        pub fn watched(id: TaskId) -> Select<Self> {
            Self::find().filter(Column::Id.eq(id))
        }

        /// Unfinished tasks that no other node works on.
        pub fn free(node: Uuid, now: Timestamp) -> Select<Self> {
            Self::find().filter(is_free(node, now))
        }
    }

    /// The task has not ended, and no other node has a valid lease.
    pub fn is_free(node: Uuid, now: Timestamp) -> Condition {
        let held_by_nobody_else = Condition::any()
            .add(Column::LeaseOwner.is_null())
            .add(Column::LeaseOwner.eq(node))
            .add(Column::LeaseUntil.lte(now));
        Condition::all().add(Column::Phase.ne(Phase::Ended.as_str())).add(held_by_nobody_else)
    }
}

/// Histories.
pub mod event {
    use sea_orm::QueryOrder;
    use sea_orm::entity::prelude::*;

    use crate::ids::TaskId;

    /// A task as it was after a change.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "integration_server_task_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub task_id: TaskId,
        #[sea_orm(primary_key, auto_increment = false)]
        pub sequence: i64,
        /// JSON.
        pub snapshot: String,
    }

    /// No relations: statements join by ids.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}

    impl Entity {
        /// The changes of a task after the one with that number, in order. Callers have checked
        /// that the subscriber may see the task.
        pub fn watched(task: TaskId, after: i64) -> Select<Self> {
            let of_task =
                Self::find().filter(Column::TaskId.eq(task)).filter(Column::Sequence.gt(after));
            of_task.order_by_asc(Column::Sequence)
        }
    }
}
