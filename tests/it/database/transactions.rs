//! Transactions: atomic, repeated after conflicts, bounded in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database as Connector, Statement};
use tenant_gateway::database::{Database, Failure, Write};
use tenant_gateway::error::{Error, ErrorCode};
use tokio::sync::Barrier;
use tokio::time::{Instant, timeout};

use super::{count, execute, open, open_with};
use crate::support::{Engine, TestDatabase, both_databases, eventually};

const TABLE: &str = "CREATE TABLE counters (id INTEGER PRIMARY KEY, number INTEGER NOT NULL)";

async fn with_counters(engine: Engine) -> (Arc<TestDatabase>, Database) {
    let fresh = TestDatabase::empty(engine).await;
    let database = open(&fresh).await;
    execute(&database, TABLE).await;
    execute(&database, "INSERT INTO counters VALUES (1, 0), (2, 0)").await;
    (fresh, database)
}

async fn numbers(database: &Database) -> Vec<i32> {
    let sql = "SELECT number FROM counters ORDER BY id";
    let statement = Statement::from_string(database.reader().get_database_backend(), sql);
    let rows = database.reader().query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get("", "number").unwrap()).collect()
}

/// Adds one to both rows, in that order. In the first attempt it waits at the barrier between the
/// two.
async fn add(
    database: &Database,
    order: [i32; 2],
    between: &Barrier,
    attempts: &AtomicU32,
) -> Result<(), Error> {
    let work = async |write: Arc<Write<'_>>| {
        let first_attempt = attempts.fetch_add(1, Ordering::SeqCst) == 0;
        for (position, id) in order.into_iter().enumerate() {
            let sql = format!("UPDATE counters SET number = number + 1 WHERE id = {id}");
            write.on().execute_unprepared(&sql).await?;
            if first_attempt && position == 0 {
                between.wait().await;
            }
        }
        Ok(())
    };
    database.transaction(work).await
}

both_databases! {
    async fn transaction_rolls_back_when_its_work_fails(engine: Engine) {
        let (_fresh, database) = with_counters(engine).await;
        let work = async |write: Arc<Write<'_>>| {
            write.on().execute_unprepared("UPDATE counters SET number = 7").await?;
            Err::<(), _>(Error::conflict("not so"))
        };
        assert_eq!(database.transaction(work).await.unwrap_err().message(), "not so");
        assert_eq!(numbers(&database).await, [0, 0]);
    }

    async fn transaction_with_a_failed_statement_is_not_committed(engine: Engine) {
        let (_fresh, database) = with_counters(engine).await;
        let write = database.begin().await.unwrap();
        write.on().execute_unprepared("UPDATE counters SET number = 7").await.unwrap();
        // Ignores the failure, as no caller should.
        write.on().execute_unprepared("INSERT INTO counters VALUES (1, 1)").await.unwrap_err();
        write.on().execute_unprepared("UPDATE counters SET number = 8").await.unwrap_err();
        assert_eq!(write.commit().await.unwrap_err().code(), ErrorCode::InternalServerError);
        assert_eq!(numbers(&database).await, [0, 0]);
    }

    async fn canceled_write_leaves_nothing_behind_and_blocks_nobody(engine: Engine) {
        let (_fresh, database) = with_counters(engine).await;
        for round in 0..30 {
            let write = async {
                let write = database.begin().await.unwrap();
                for id in [1, 2] {
                    let sql = format!("UPDATE counters SET number = number + 1 WHERE id = {id}");
                    write.on().execute_unprepared(&sql).await.unwrap();
                }
                write
            };
            // Each round cancels at a later point, the last ones after the last statement.
            timeout(Duration::from_micros(200 * round), write).await.ok();
        }
        execute(&database, "UPDATE counters SET number = number + 1").await;
        assert_eq!(numbers(&database).await, [1, 1]);
    }

    async fn write_gives_up_waiting_for_its_turn_after_the_busy_timeout(engine: Engine) {
        let fresh = TestDatabase::empty(engine).await;
        let database = open_with(&fresh, Duration::from_millis(300)).await;
        // As many as may write at once.
        let _first = database.begin().await.unwrap();
        let _second =
            if engine == Engine::Postgres { Some(database.begin().await.unwrap()) } else { None };
        let started = Instant::now();
        let refused = database.begin().await.err().expect("no write permit is free");
        assert!(started.elapsed() >= Duration::from_millis(300));
        assert!(started.elapsed() < Duration::from_secs(5));
        assert_eq!((refused.code(), refused.retryable()), (ErrorCode::DatabaseUnavailable, true));
    }
}

#[tokio::test]
async fn deadlock_on_postgres_is_repeated_and_both_transactions_succeed() {
    let (_fresh, database) = with_counters(Engine::Postgres).await;
    let rounds = 5;
    let mut attempts_of_all = 0;
    for _ in 0..rounds {
        let between = Barrier::new(2);
        let attempts = [AtomicU32::new(0), AtomicU32::new(0)];
        let (one, two) = tokio::join!(
            add(&database, [1, 2], &between, &attempts[0]),
            add(&database, [2, 1], &between, &attempts[1])
        );
        one.unwrap();
        two.unwrap();
        attempts_of_all +=
            attempts.iter().map(|attempts| attempts.load(Ordering::SeqCst)).sum::<u32>();
    }
    assert!(attempts_of_all > 2 * rounds, "each round had a deadlock: {attempts_of_all}");
    let expected = i32::try_from(2 * rounds).unwrap();
    assert_eq!(numbers(&database).await, [expected, expected]);
}

#[tokio::test]
async fn conflict_that_lasts_ends_as_a_retryable_conflict() {
    let (_fresh, database) = with_counters(Engine::Postgres).await;
    let attempts = AtomicU32::new(0);
    let raise = "DO $$ BEGIN RAISE EXCEPTION 'serialization' USING ERRCODE = '40001'; END $$";
    let work = async |write: Arc<Write<'_>>| {
        attempts.fetch_add(1, Ordering::SeqCst);
        write.on().execute_unprepared(raise).await?;
        Ok(())
    };
    let refused = database.transaction(work).await.unwrap_err();
    assert_eq!((refused.code(), refused.retryable()), (ErrorCode::Conflict, true));
    assert_eq!(attempts.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn connection_that_postgres_ends_in_the_middle_of_a_write_loses_all_of_it_and_nothing_else() {
    let (fresh, database) = with_counters(Engine::Postgres).await;
    let other = Connector::connect(fresh.url.clone().unwrap()).await.unwrap();
    let write = database.begin().await.unwrap();
    write.on().execute_unprepared("UPDATE counters SET number = 7").await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    other.execute_unprepared(end).await.unwrap();
    let refused = write.commit().await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::DatabaseUnavailable);
    assert!(refused.is_outcome_unknown(), "the response to COMMIT was lost");
    execute(&database, "UPDATE counters SET number = number + 1").await;
    assert_eq!(numbers(&database).await, [1, 1]);
    assert_eq!(count(&database, "counters").await, 2);
}

#[tokio::test]
async fn externally_locked_postgres_row_delays_a_write_by_the_busy_timeout_at_most() {
    let (fresh, database) = with_counters(Engine::Postgres).await;
    let patient = database.begin().await.unwrap();
    patient.on().execute_unprepared("UPDATE counters SET number = 7 WHERE id = 1").await.unwrap();
    let hasty = open_with(&fresh, Duration::from_millis(300)).await;
    let started = Instant::now();
    let work = async |write: Arc<Write<'_>>| {
        write.on().execute_unprepared("UPDATE counters SET number = 8 WHERE id = 1").await?;
        Ok(())
    };
    let refused = hasty.transaction(work).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!((refused.code(), refused.retryable()), (ErrorCode::DatabaseUnavailable, true));
    hasty.ready().await.expect("a locked row does not mean an unreachable server");
    patient.commit().await.unwrap();
    assert_eq!(numbers(&database).await, [7, 0]);
}

#[tokio::test]
async fn externally_locked_file_makes_database_unready_until_a_write_succeeds() {
    let (fresh, database) = with_counters(Engine::Sqlite).await;
    let hasty = open_with(&fresh, Duration::from_millis(300)).await;
    let other = database.begin().await.unwrap();
    let refused = hasty.begin().await.err().expect("the file is locked");
    assert_eq!((refused.code(), refused.retryable()), (ErrorCode::DatabaseUnavailable, true));
    assert_eq!(hasty.ready().await, Err(Failure::Busy));
    assert_eq!(count(&hasty, "counters").await, 2, "reads continue");
    other.commit().await.unwrap();
    eventually(5, "readiness", async || hasty.ready().await.ok()).await;
}
