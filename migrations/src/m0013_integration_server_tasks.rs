//! The tasks of Integration Servers that callers started, and their histories.

use sea_orm_migration::prelude::*;

use crate::{exact_text, uuid};

crate::migration!(up: up, down: down);

/// A row is `SENT` before its call goes out, `KNOWN` once the server's identifier of the task is
/// known, `LOST` while the gateway looks for it, and `ENDED` when no further change is expected. At
/// most one node has the lease of a row. Subscribers on all nodes read the history.
fn up(manager: &SchemaManager<'_>) -> Vec<String> {
    let (id, exact) = (uuid(manager), exact_text(manager));
    vec![
        format!(
            "CREATE TABLE integration_server_tasks (
                id {id} NOT NULL PRIMARY KEY,
                tenant_id {id} NOT NULL REFERENCES tenants (id),
                upstream_id {id} NOT NULL REFERENCES upstreams (id) ON DELETE CASCADE,
                kind TEXT NOT NULL,
                remote_tenant_id {exact},
                link_tenant_id {id},
                intent TEXT NOT NULL,
                caller TEXT NOT NULL,
                request_id TEXT NOT NULL,
                phase TEXT NOT NULL,
                remote_task_id {exact},
                state TEXT,
                result_id {exact},
                snapshot TEXT,
                sequence BIGINT NOT NULL,
                started_at BIGINT NOT NULL,
                deadline_at BIGINT NOT NULL,
                lease_owner {id},
                lease_until BIGINT NOT NULL,
                created_at BIGINT NOT NULL,
                ended_at BIGINT,
                UNIQUE (upstream_id, remote_task_id)
            )"
        ),
        "CREATE INDEX integration_server_tasks_tenant ON integration_server_tasks (tenant_id, created_at)".to_owned(),
        "CREATE INDEX integration_server_tasks_remote ON integration_server_tasks (remote_task_id)".to_owned(),
        "CREATE INDEX integration_server_tasks_result ON integration_server_tasks (result_id)".to_owned(),
        "CREATE INDEX integration_server_tasks_open ON integration_server_tasks (lease_until) WHERE phase <> 'ENDED'"
            .to_owned(),
        format!(
            "CREATE TABLE integration_server_task_events (
                task_id {id} NOT NULL REFERENCES integration_server_tasks (id) ON DELETE CASCADE,
                sequence BIGINT NOT NULL,
                snapshot TEXT NOT NULL,
                PRIMARY KEY (task_id, sequence)
            )"
        ),
    ]
}

fn down(_: &SchemaManager<'_>) -> Vec<String> {
    vec![
        "DROP TABLE integration_server_task_events".to_owned(),
        "DROP TABLE integration_server_tasks".to_owned(),
    ]
}
