//! Chains have no gap and no fork, whoever writes at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::json;
use tenant_gateway::database::Write;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use super::{
    add, assert_intact, literal, number, record_in, refused, tenant_with_records, verify,
    write_records,
};
use crate::support::{Engine, TestApp, both_databases};

/// Inserts a record as a version without chains does.
async fn insert_unchained(app: &TestApp, tenant: TenantId) {
    let id = match app.database.engine {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let tenant = literal(app, tenant);
    let sql = format!(
        "INSERT INTO audit_log (id, at, actor, tenant_id, operation, outcome, request_id)
         VALUES ({id}, {}, 'operator', {tenant}, 'old', 'SUCCEEDED', 'r')",
        app.now().millis()
    );
    app.operator.execute(&sql).await;
}

async fn records_about(app: &TestApp, tenant: TenantId) -> u64 {
    let id = literal(app, tenant);
    let sql = format!("SELECT COUNT(*) FROM audit_log WHERE tenant_id = {id}");
    u64::try_from(number(app, &sql).await).unwrap()
}

both_databases! {
    async fn writers_of_two_nodes_neither_fork_a_chain_nor_leave_gaps(app: TestApp) {
        let another = app.another_node().await;
        let organization = app.administrator(app.world.organization).await;
        let mut writers = Vec::new();
        for number in 0..48 {
            let tenant = if number % 3 == 0 { app.world.south } else { app.world.north };
            let node = if number % 2 == 0 { &app.gateway } else { &another.gateway };
            let writer = organization.at(node).within(tenant);
            writers.push(async move { writer.create(&format!("robot {number}"), &[]).await });
        }
        // Roles in the other tenant are recorded in both.
        let robots = join_all(writers).await;
        let auditor = Role::Auditor.id();
        let grants = robots.iter().enumerate().take(24).map(|(number, robot)| {
            let node = if number % 2 == 0 { &another.gateway } else { &app.gateway };
            let home = if number % 3 == 0 { app.world.south } else { app.world.north };
            let other = if number % 3 == 0 { app.world.north } else { app.world.south };
            let caller = organization.at(node).within(home);
            let document = format!(
                "mutation {{ appendClientRoles(id: \"{}\", roles: [{{ tenantID: \"{other}\", \
                roleID: \"{auditor}\" }}]) {{ id }} }}",
                robot.id
            );
            async move { caller.within(app.world.organization).ask(&document, json!({})).await.data() }
        });
        join_all(grants).await;
        for tenant in [app.world.north, app.world.south] {
            let records = records_about(&app, tenant).await;
            assert!(records > 24, "{records}");
            assert_intact(&app, tenant, records).await;
        }
    }

    async fn transactions_about_the_same_tenants_in_any_order_do_not_conflict(app: TestApp) {
        let another = app.another_node().await;
        let one = tenant_with_records(&app, 1).await;
        let other = tenant_with_records(&app, 1).await;
        let attempts = AtomicUsize::new(0);
        let both = (0..40).map(async |number| {
            let node = if number % 2 == 0 { &app } else { &another };
            let tenants = if number % 4 < 2 { [one, other] } else { [other, one] };
            let work = async |write: Arc<Write<'_>>| {
                attempts.fetch_add(1, Ordering::SeqCst);
                record_in(&app, &write, &tenants, "both").await
            };
            node.operator.database.transaction(work).await.unwrap();
        });
        join_all(both).await;
        assert_eq!(attempts.load(Ordering::SeqCst), 40, "none was repeated");
        for tenant in [one, other] {
            assert_intact(&app, tenant, 41).await;
        }
    }

    async fn first_records_of_a_tenant_may_be_written_at_once(app: TestApp) {
        let another = app.another_node().await;
        let tenant = TenantId::random(&SystemEntropy);
        let writers = (0..20).map(|number| {
            let node = if number % 2 == 0 { &app } else { &another };
            async move { write_records(node, &[tenant], "first").await.unwrap() }
        });
        join_all(writers).await;
        assert_intact(&app, tenant, 20).await;
    }

    async fn transaction_that_is_rolled_back_leaves_no_gap(app: TestApp) {
        let tenant = tenant_with_records(&app, 2).await;
        let work = async |write: Arc<Write<'_>>| {
            record_in(&app, &write, &[tenant, tenant], "lost").await?;
            Err::<(), _>(refused())
        };
        app.operator.database.transaction(work).await.unwrap_err();
        add(&app, tenant, 1).await;
        assert_intact(&app, tenant, 3).await;
    }

    async fn records_of_versions_without_chains_are_told_apart(app: TestApp) {
        let tenant = TenantId::random(&SystemEntropy);
        insert_unchained(&app, tenant).await;
        insert_unchained(&app, tenant).await;
        let found = verify(&app, tenant).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 0));
        assert_eq!((found.unchained_before, found.unchained_since), (2, 0));
        add(&app, tenant, 2).await;
        insert_unchained(&app, tenant).await;
        add(&app, tenant, 2).await;
        let found = verify(&app, tenant).await;
        assert_eq!((found.outcome(), found.verified), ("INTACT", 4));
        assert_eq!((found.unchained_before, found.unchained_since), (2, 1));
    }

    async fn transaction_with_too_many_records_is_refused(app: TestApp) {
        let tenant = tenant_with_records(&app, 1).await;
        let error = write_records(&app, &vec![tenant; 10_001], "many").await.unwrap_err();
        assert!(error.explained().contains("10000"), "{}", error.explained());
        write_records(&app, &[tenant; 250], "many").await.unwrap();
        assert_intact(&app, tenant, 251).await;
    }
}
