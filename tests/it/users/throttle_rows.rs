//! The rows that count failed sign-ins: which of them are kept, and in which order they are locked.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Database as Connector, Statement, TransactionTrait};
use tenant_gateway::database::Write;
use tenant_gateway::users::PasswordOutcome;

use super::{PASSWORD, enrol, invited_by_operator, origin, origin_at};
use crate::oauth::asking::rows;
use crate::support::{Engine, OnEngine, TestApp, both_databases, eventually, notes};

const WRONG: &str = "no password of anybody";

/// A number that the database tells.
async fn number(app: &TestApp, sql: &str) -> i64 {
    let reader = app.operator.database.reader();
    let select = Statement::from_string(reader.get_database_backend(), sql);
    reader.query_one_raw(select).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Deletes all but the `most` rows that count longest.
async fn sweep(app: &TestApp, most: u64) {
    let users = &app.operator.users;
    let sweep = async |write: Arc<Write<'_>>| users.forget_expired(&write, most).await;
    app.operator.database.transaction(sweep).await.unwrap();
}

both_databases! {
    async fn counts_are_swept_once_they_are_forgotten(app: TestApp) {
        let user = invited_by_operator(&app, app.world.north, &[]).await.user();
        enrol(&app, user).await;
        let users = &app.operator.users;
        let guess = "no password of anybody";
        users.verify_password("nobody@example.com", guess, &origin()).await.unwrap();
        users.verify_totp(user, "000000", &origin()).await.unwrap();
        let counted = rows(&app, "sign_in_failures").await;
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "sign_in_failures").await, counted);
        app.advance(3600);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "sign_in_failures").await, 1, "codes are counted for a day");
        app.advance(23 * 3600);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "sign_in_failures").await, 0);
    }

    async fn few_networks_of_a_person_are_known(app: TestApp) {
        let invitee = invited_by_operator(&app, app.world.north, &[]).await;
        notes::note(PASSWORD);
        let users = &app.operator.users;
        users.accept_invitation(&invitee.token, PASSWORD, &origin()).await.unwrap();
        for host in 1..=12 {
            let from = origin_at(&format!("192.0.2.{host}"));
            let accepted = users.verify_password(&invitee.email, PASSWORD, &from).await.unwrap();
            assert!(matches!(accepted, PasswordOutcome::Accepted(_)), "{accepted:?}");
            app.advance(1);
        }
        let known = "sign_in_failures WHERE failures = 0 AND identity IS NOT NULL";
        assert_eq!(rows(&app, known).await, 10);
    }

    async fn sweep_of_a_full_table_keeps_what_counts_longest(app: TestApp) {
        let invitee = invited_by_operator(&app, app.world.north, &[]).await;
        enrol(&app, invitee.user()).await;
        notes::note(PASSWORD);
        let users = &app.operator.users;
        users.accept_invitation(&invitee.token, PASSWORD, &origin()).await.unwrap();
        let accepted = users.verify_password(&invitee.email, PASSWORD, &origin()).await.unwrap();
        assert!(matches!(accepted, PasswordOutcome::Accepted(_)), "{accepted:?}");
        for _ in 0..5 {
            users.verify_totp(invitee.user(), "000000", &origin()).await.unwrap();
        }
        app.advance(60);
        for host in 1..=9 {
            let from = origin_at(&format!("198.51.100.{host}"));
            users.verify_password("nobody@example.com", WRONG, &from).await.unwrap();
            app.advance(1);
        }
        // The known network, the count of codes, and the five counts of the last attempt.
        sweep(&app, 7).await;
        let known = "SELECT COUNT(*) FROM sign_in_failures WHERE identity IS NOT NULL";
        assert_eq!(number(&app, known).await, 1);
        let code = "SELECT COUNT(*) FROM sign_in_failures WHERE failures = 5 AND identity IS NULL";
        assert_eq!(number(&app, code).await, 1);
        assert_eq!(rows(&app, "sign_in_failures").await, 7);
    }

    async fn sweep_of_a_full_table_keeps_what_makes_somebody_wait(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 1).await;
        let users = &app.operator.users;
        for wait in [1, 2, 4, 8, 1] {
            users.verify_password("nobody@example.com", WRONG, &origin()).await.unwrap();
            app.advance(wait);
        }
        for host in 1..=5 {
            let from = origin_at(&format!("198.51.100.{host}"));
            users.verify_password("nobody@example.com", WRONG, &from).await.unwrap();
            app.advance(1);
        }
        let waiting = format!(
            "SELECT COUNT(*) FROM sign_in_failures WHERE blocked_until > {}",
            app.now().millis()
        );
        assert_eq!(number(&app, &waiting).await, 1, "the first pair waits for 16 seconds");
        sweep(&app, 1).await;
        assert_eq!(number(&app, &waiting).await, 1);
    }
}

/// Counts the transactions that write to the table, those included that are rolled back.
const COUNT_TRANSACTIONS: &str = "
    CREATE SEQUENCE transactions;
    CREATE FUNCTION count_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('test.counted', true) IS DISTINCT FROM txid_current()::text THEN
            PERFORM set_config('test.counted', txid_current()::text, true);
            PERFORM nextval('transactions');
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER count_transaction BEFORE INSERT ON sign_in_failures
        FOR EACH STATEMENT EXECUTE FUNCTION count_transaction();";

/// One sign-in creates its counts while another finds the last of them, created meanwhile.
#[tokio::test]
async fn sign_ins_at_once_do_not_wait_for_each_other_in_a_circle() {
    let app = TestApp::on(Engine::Postgres).await;
    let attempt = || {
        let users = app.operator.users.clone();
        async move { users.verify_password("nobody@example.com", WRONG, &origin()).await.unwrap() }
    };
    attempt().await;
    let reader = app.operator.database.reader();
    let ids = "SELECT encode(id, 'hex') FROM sign_in_failures ORDER BY id";
    let ids = Statement::from_string(reader.get_database_backend(), ids);
    let ids = reader.query_all_raw(ids).await.unwrap();
    let ids: Vec<String> = ids.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
    let insert = |id: &str| {
        format!(
            "INSERT INTO sign_in_failures (id, failures, blocked_until, last_at)
             VALUES (decode('{id}', 'hex'), 0, 0, 0)"
        )
    };
    app.operator.execute("DELETE FROM sign_in_failures").await;
    app.operator.execute(COUNT_TRANSACTIONS).await;
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";

    let other = Connector::connect(app.database.url.clone().unwrap()).await.unwrap();
    let held = other.begin().await.unwrap();
    held.execute_unprepared(&insert(&ids[1])).await.unwrap();
    let first = tokio::spawn(attempt());
    let waits = async |count: i64| (number(&app, waiting).await == count).then_some(());
    eventually(10, "the first sign-in waits", async || waits(1).await).await;
    app.operator.execute(&insert(ids.last().unwrap())).await;
    let second = tokio::spawn(attempt());
    eventually(10, "the second sign-in waits", async || waits(2).await).await;
    held.rollback().await.unwrap();
    for outcome in [first.await.unwrap(), second.await.unwrap()] {
        assert!(matches!(outcome, PasswordOutcome::Refused), "{outcome:?}");
    }
    let transactions = number(&app, "SELECT last_value FROM transactions").await;
    assert_eq!(transactions, 4, "two of this test, and one of each sign-in");
}
