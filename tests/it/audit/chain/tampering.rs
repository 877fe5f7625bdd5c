//! Every way of changing a chain is found, and where.

use tenant_gateway::audit::{BreakReason, ChainPoint};
use tenant_gateway::ids::TenantId;

use super::{
    add, allow_numbers, assert_intact, at, broken, expecting, literal, number, set,
    tenant_with_records, verify, verify_as,
};
use crate::support::{Engine, TestApp, both_databases};

/// Every column that a hash depends on, with another value.
const CHANGES: &[(&str, &str)] = &[
    ("at", "at + 1"),
    ("actor", "actor || '!'"),
    ("acting_tenant_id", "tenant_id"),
    ("operation", "'other'"),
    ("subject", "NULL"),
    ("outcome", "'REFUSED'"),
    ("code", "'FORBIDDEN'"),
    ("reason", "''"),
    ("request_id", "request_id || '!'"),
    ("caller_request_id", "'other'"),
    ("count", "count + 1"),
    ("upstream_request_ids", "'[\"other\"]'"),
    ("before", "NULL"),
    ("after", "replace(after, '7', '8')"),
    ("after", "replace(after, ':', ': ')"),
    ("after", "'no JSON'"),
    ("previous_hash", "hash"),
    ("hash", "previous_hash"),
    ("hash", "NULL"),
];

/// Columns of a record, without `seq`.
const COLUMNS: &str = "id, at, actor, acting_tenant_id, tenant_id, operation, subject, outcome, \
    code, reason, request_id, caller_request_id, count, upstream_request_ids, before, after, \
    position, previous_hash, hash";

/// Inserts a copy of a record at another position, under another id.
pub(super) async fn insert_copy(app: &TestApp, tenant: TenantId, of: i64, position: &str) {
    let id = match app.database.engine {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let copied = COLUMNS.replacen("id,", &format!("{id},"), 1);
    let copied = copied.replace(" position,", &format!(" {position},"));
    let condition = at(app, tenant, of);
    let sql = format!(
        "INSERT INTO audit_log ({COLUMNS}) SELECT {copied} FROM audit_log WHERE {condition}"
    );
    app.operator.execute(&sql).await;
}

/// Lets the record at one position stand at another one, where there is none.
pub(super) async fn place(app: &TestApp, tenant: TenantId, from: i64, to: i64) {
    let condition = at(app, tenant, from);
    app.operator.execute(&format!("UPDATE audit_log SET position = {to} WHERE {condition}")).await;
}

async fn remove(app: &TestApp, tenant: TenantId, position: i64) {
    let condition = at(app, tenant, position);
    app.operator.execute(&format!("DELETE FROM audit_log WHERE {condition}")).await;
}

both_databases! {
    async fn changed_field_is_found_whichever_it_is(app: TestApp) {
        let tenant = tenant_with_records(&app, 5).await;
        app.operator.execute("CREATE TABLE kept AS SELECT * FROM audit_log").await;
        for (column, value) in CHANGES {
            let condition = at(&app, tenant, 3);
            let change = format!("UPDATE audit_log SET {column} = {value} WHERE {condition}");
            app.operator.execute(&change).await;
            let found = verify(&app, tenant).await;
            assert_eq!(broken(&found), Some((3, BreakReason::Changed)), "{column} = {value}");
            assert_eq!(found.verified, 2, "{column} = {value}");
            let restore = format!(
                "UPDATE audit_log SET {column} = (SELECT kept.{column} FROM kept
                 WHERE kept.seq = audit_log.seq) WHERE {condition}"
            );
            app.operator.execute(&restore).await;
            assert_intact(&app, tenant, 5).await;
        }
    }

    async fn removed_record_is_found_wherever_it_was(app: TestApp) {
        for position in [1, 3, 5] {
            let tenant = tenant_with_records(&app, 5).await;
            remove(&app, tenant, position).await;
            let found = verify(&app, tenant).await;
            assert_eq!(broken(&found), Some((position, BreakReason::Missing)), "{found:?}");
        }
    }

    async fn swapped_records_are_found(app: TestApp) {
        let tenant = tenant_with_records(&app, 5).await;
        place(&app, tenant, 2, -1).await;
        place(&app, tenant, 4, 2).await;
        place(&app, tenant, -1, 4).await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((2, BreakReason::Changed)));
    }

    async fn inserted_record_is_found_wherever_it_is(app: TestApp) {
        let behind = tenant_with_records(&app, 3).await;
        insert_copy(&app, behind, 3, "4").await;
        assert_eq!(broken(&verify(&app, behind).await), Some((4, BreakReason::BehindHead)));

        let between = tenant_with_records(&app, 3).await;
        place(&app, between, 3, 4).await;
        insert_copy(&app, between, 2, "3").await;
        assert_eq!(broken(&verify(&app, between).await), Some((3, BreakReason::Changed)));

        let before = tenant_with_records(&app, 3).await;
        insert_copy(&app, before, 1, "0").await;
        assert_eq!(broken(&verify(&app, before).await), Some((0, BreakReason::BeforeAnchor)));

        let outside = tenant_with_records(&app, 3).await;
        insert_copy(&app, outside, 3, "NULL").await;
        let found = verify(&app, outside).await;
        assert_eq!((found.outcome(), found.unchained_before), ("INTACT", 0));
        assert_eq!(found.unchained_since, 1, "it is told apart from those of before the chain");
    }

    async fn record_moved_from_another_tenant_is_found_in_both(app: TestApp) {
        let from = tenant_with_records(&app, 4).await;
        let to = tenant_with_records(&app, 4).await;
        remove(&app, to, 3).await;
        let condition = at(&app, from, 3);
        let other = literal(&app, to);
        let sql = format!("UPDATE audit_log SET tenant_id = {other} WHERE {condition}");
        app.operator.execute(&sql).await;
        assert_eq!(broken(&verify(&app, from).await), Some((3, BreakReason::Missing)));
        assert_eq!(broken(&verify(&app, to).await), Some((3, BreakReason::Changed)));
    }

    /// The record in its place is a genuine one, which the chain had there before it was set back.
    async fn record_replaced_by_one_that_matches_its_hash_is_found_at_the_next(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        let condition = at(&app, tenant, 3);
        let copy = format!("CREATE TABLE kept AS SELECT * FROM audit_log WHERE {condition}");
        app.operator.execute(&copy).await;
        set_back(&app, tenant, 2).await;
        add(&app, tenant, 2).await;
        assert_intact(&app, tenant, 4).await;
        for column in COLUMNS.split(", ") {
            let sql = format!(
                "UPDATE audit_log SET {column} = (SELECT kept.{column} FROM kept) WHERE {condition}"
            );
            app.operator.execute(&sql).await;
        }
        assert_eq!(broken(&verify(&app, tenant).await), Some((4, BreakReason::Unlinked)));
    }

    /// Somebody who can write both tables can remove the newest records; who kept a head finds it.
    async fn chain_that_was_set_back_differs_from_the_head_kept_elsewhere(app: TestApp) {
        let tenant = tenant_with_records(&app, 5).await;
        let kept = verify(&app, tenant).await.head;
        set_back(&app, tenant, 3).await;
        assert_intact(&app, tenant, 3).await;
        let found = verify_as(&app, tenant, expecting(&kept)).await;
        assert_eq!(broken(&found), Some((5, BreakReason::Unexpected)));
        add(&app, tenant, 4).await;
        assert_intact(&app, tenant, 7).await;
        let found = verify_as(&app, tenant, expecting(&kept)).await;
        assert_eq!(broken(&found), Some((5, BreakReason::Unexpected)));
        assert!(found.broken.unwrap().record.is_some());
    }

    async fn head_that_was_changed_is_found(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        let id = literal(&app, tenant);
        let other = format!("UPDATE audit_chains SET hash = anchor_hash WHERE tenant_id = {id}");
        app.operator.execute(&other).await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((3, BreakReason::OtherHead)));
    }

    async fn chain_whose_row_was_removed_is_broken_and_takes_further_records(app: TestApp) {
        let tenant = tenant_with_records(&app, 3).await;
        let id = literal(&app, tenant);
        app.operator.execute(&format!("DELETE FROM audit_chains WHERE tenant_id = {id}")).await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((1, BreakReason::BehindHead)));
        add(&app, tenant, 2).await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((4, BreakReason::Unlinked)));
        let records = format!("SELECT COUNT(*) FROM audit_log WHERE tenant_id = {id}");
        assert_eq!(number(&app, &records).await, 5);
    }

    async fn number_out_of_order_is_found(app: TestApp) {
        let tenant = tenant_with_records(&app, 5).await;
        allow_numbers(&app).await;
        set(&app, tenant, 3, "seq", "-seq").await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((3, BreakReason::Changed)));
        set(&app, tenant, 3, "seq", "-seq").await;
        assert_intact(&app, tenant, 5).await;
        set(&app, tenant, 1, "seq", "-seq").await;
        assert_eq!(broken(&verify(&app, tenant).await), Some((1, BreakReason::Changed)));
    }

    async fn broken_record_is_named_before_an_expectation_that_cannot_be_met(app: TestApp) {
        let tenant = tenant_with_records(&app, 5).await;
        let wrong = ChainPoint { position: 1, hash: "0".repeat(64) };
        let found = verify_as(&app, tenant, expecting(&wrong)).await;
        assert_eq!(broken(&found), Some((1, BreakReason::Unexpected)));
        let condition = at(&app, tenant, 4);
        app.operator.execute(&format!("UPDATE audit_log SET actor = 'x' WHERE {condition}")).await;
        let found = verify_as(&app, tenant, expecting(&wrong)).await;
        assert_eq!(broken(&found), Some((4, BreakReason::Changed)));
    }
}

/// Removes the records behind a position, and lets the chain end with it.
pub(super) async fn set_back(app: &TestApp, tenant: TenantId, position: i64) {
    let id = literal(app, tenant);
    for sql in [
        format!("DELETE FROM audit_log WHERE tenant_id = {id} AND position > {position}"),
        format!(
            "UPDATE audit_chains SET position = {position}, hash = (SELECT hash FROM audit_log
             WHERE {}) WHERE tenant_id = {id}",
            at(app, tenant, position)
        ),
    ] {
        app.operator.execute(&sql).await;
    }
}
