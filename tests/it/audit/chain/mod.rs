//! Tamper evidence: each record holds the hash of the one before in its tenant's chain.

mod api;
mod commands;
mod exports;
mod pruning;
mod tampering;
mod writing;

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Statement};
use tenant_gateway::audit::{
    Audit, BreakReason, ChainPoint, Entry, FailedAuthentication, Request, Verification, record,
};
use tenant_gateway::auth::RequestId;
use tenant_gateway::database::Write;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::error::{Error, Result};
use tenant_gateway::ids::TenantId;
use tenant_gateway::metrics::Metrics;

use crate::support::{Engine, TestApp};

/// A tenant whose chain has that many records.
async fn tenant_with_records(app: &TestApp, records: usize) -> TenantId {
    let tenant = app.operator.tenant(app.world.organization, "Case", false).await;
    add(app, tenant, records - 1).await;
    tenant
}

/// Adds records, each in its own transaction.
async fn add(app: &TestApp, tenant: TenantId, records: usize) {
    for number in 0..records {
        write_records(app, &[tenant], &number.to_string()).await.unwrap();
    }
}

/// Writes a record about each of the tenants in one transaction.
async fn write_records(app: &TestApp, tenants: &[TenantId], subject: &str) -> Result<()> {
    let work = async |write: Arc<Write<'_>>| record_in(app, &write, tenants, subject).await;
    app.operator.database.transaction(work).await
}

async fn record_in(
    app: &TestApp,
    write: &Write<'_>,
    tenants: &[TenantId],
    subject: &str,
) -> Result<()> {
    for tenant in tenants {
        let before = Some(serde_json::json!({ "name": "ä\u{1f600}\n", "number": 7 }));
        let subject = subject.to_owned();
        let entry = Entry {
            operation: "test",
            tenant: *tenant,
            subject,
            before: before.clone(),
            after: before,
        };
        record(write.on(), &SystemEntropy, &app.operator.scope(*tenant), entry).await?;
    }
    Ok(())
}

async fn verify(app: &TestApp, tenant: TenantId) -> Verification {
    verify_as(app, tenant, Request::default()).await
}

async fn verify_as(app: &TestApp, tenant: TenantId, request: Request) -> Verification {
    let scope = app.operator.scope(tenant);
    app.operator.core.audit.verify(&scope, &request).await.unwrap()
}

/// Where a chain is broken and why.
fn broken(found: &Verification) -> Option<(i64, BreakReason)> {
    found.broken.as_ref().map(|broken| (broken.position, broken.reason))
}

/// Asserts that the chain is intact and has that many records.
async fn assert_intact(app: &TestApp, tenant: TenantId, records: u64) {
    let found = verify(app, tenant).await;
    assert_eq!(broken(&found), None, "{found:?}");
    assert_eq!((found.outcome(), found.verified), ("INTACT", records), "{found:?}");
    assert_eq!(found.unchained_since, 0);
}

/// An id as SQL writes it.
fn literal(app: &TestApp, tenant: TenantId) -> String {
    match app.database.engine {
        Engine::Sqlite => format!("x'{}'", tenant.0.simple()),
        Engine::Postgres => format!("'{tenant}'"),
    }
}

/// The condition of the record at a position.
fn at(app: &TestApp, tenant: TenantId, position: i64) -> String {
    format!("tenant_id = {} AND position = {position}", literal(app, tenant))
}

async fn number(app: &TestApp, sql: &str) -> i64 {
    let reader = app.operator.database.reader();
    let select = Statement::from_string(reader.get_database_backend(), sql);
    reader.query_one_raw(select).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

fn refused() -> Error {
    Error::conflict("refused on purpose")
}

fn expecting(point: &ChainPoint) -> Request {
    Request { expected: vec![point.clone()], ..Request::default() }
}

/// A log with a failed authentication of this moment that it has not written yet.
fn late_failure(app: &TestApp, tenant: TenantId) -> Audit {
    let database = app.operator.database.clone();
    let metrics = Arc::new(Metrics::new(false, app.now()));
    let audit = Audit::new(database, app.clock.clone(), Arc::new(SystemEntropy), metrics);
    fail(&audit, tenant);
    audit
}

/// Adds a failed authentication in that tenant to those that wait.
fn fail(audit: &Audit, tenant: TenantId) {
    audit.authentication_failed(FailedAuthentication {
        actor: "late".to_owned(),
        tenant: Some(tenant),
        operation: "token",
        code: "invalid_client",
        reason: "wrong_secret",
        request_id: RequestId::parse("late").unwrap(),
    });
}
