//! Migrations: applied, reverted, and run concurrently.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::database::{Database, Options};

use crate::support::process::Deployment;
use crate::support::{Engine, TestApp, TestDatabase, both_databases, eventually};
use crate::upstreams;

async fn open(database: &TestDatabase) -> Database {
    let url = database.config().database_url().expose().to_owned();
    Database::connect(Options { url, max_connections: 4, busy_timeout: Duration::from_secs(10) })
        .await
        .unwrap()
}

async fn applied(database: &Database) -> Vec<bool> {
    database.migrations().await.unwrap().into_iter().map(|(_, applied)| applied).collect()
}

/// The name and definition of every table, index and trigger of the gateway.
async fn objects(database: &Database) -> Vec<String> {
    let sql = if database.is_sqlite() {
        "SELECT type || ' ' || name AS name FROM sqlite_master WHERE name NOT LIKE 'seaql%' AND \
        name NOT LIKE 'sqlite%' ORDER BY 1"
    } else {
        "SELECT relkind::text || ' ' || relname AS name FROM pg_class JOIN pg_namespace n ON n.oid =
        relnamespace
         WHERE nspname = 'public' AND relname NOT LIKE 'seaql%' ORDER BY 1"
    };
    let reader = database.reader();
    let rows = reader
        .query_all_raw(Statement::from_string(reader.get_database_backend(), sql))
        .await
        .unwrap();
    rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
}

async fn forget_last_change(database: &Database) {
    let last =
        "DELETE FROM seaql_migrations WHERE version = (SELECT MAX(version) FROM seaql_migrations)";
    database.reader().execute_unprepared(last).await.unwrap();
}

/// Marks the schema as that of a version with one migration more.
async fn run_by_a_newer_version(database: &Database, change: &str, is_additive: bool) {
    for sql in [
        format!("INSERT INTO seaql_migrations (version, applied_at) VALUES ('{change}', 0)"),
        format!(
            "INSERT INTO schema_changes (name, program_version, is_additive) VALUES ('{change}', \
            '9.8.7', {is_additive})"
        ),
    ] {
        database.reader().execute_unprepared(&sql).await.unwrap();
    }
}

async fn refusal(database: &TestDatabase) -> String {
    let opened = Core::open(&database.config(), Environment::default()).await;
    opened.err().expect("it does not open").explained()
}

both_databases! {
    async fn migrations_can_be_reverted_and_applied_again(engine: Engine) {
        let fresh = TestDatabase::empty(engine).await;
        let database = open(&fresh).await;
        assert!(
            !applied(&database).await.iter().any(|applied| *applied),
            "no migration was run, and status runs none"
        );
        database.migrate().await.unwrap();
        assert!(applied(&database).await.iter().all(|applied| *applied));
        let first = objects(&database).await;
        assert!(first.iter().any(|name| name.ends_with(" clients")));
        database.migrate().await.unwrap();
        assert_eq!(objects(&database).await, first, "a second time changes nothing");
        database.unmigrate().await.unwrap();
        assert_eq!(objects(&database).await, Vec::<String>::new());
        assert!(!applied(&database).await.iter().any(|applied| *applied));
        database.migrate().await.unwrap();
        assert_eq!(objects(&database).await, first);
    }

    async fn folded_names_of_older_schema_are_recomputed(app: TestApp) {
        const ROWS: usize = 1_200;
        let tenant = app.world.north.0;
        let columns = "id, client_id, tenant_id, name, name_folded, enabled, token_generation, \
            token_request_count, created_at, updated_at, created_by, updated_by";
        let sql = match app.database.engine {
            Engine::Sqlite => format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
                 INSERT INTO clients ({columns}) SELECT randomblob(16), 'c' || i, x'{}', 'İzmir ' ||
                 i, 'i\u{307}zmir ' || i, 1, 0, 0, 0, 0, 'x', 'x' FROM n",
                tenant.simple()
            ),
            Engine::Postgres => format!(
                "INSERT INTO clients ({columns}) SELECT gen_random_uuid(), 'c' || i, '{tenant}', \
                'İzmir ' || i, 'i\u{307}zmir ' || i, true, 0, 0, 0, 0, 'x', 'x' FROM \
                generate_series(1, {ROWS}) i"
            ),
        };
        app.operator.execute(&sql).await;
        let administrator = app.administrator(app.world.north).await;
        let found = async || {
            let document = "{ clientsSearch(filters: { name: \"%izmir%\" }) { totalCount } }";
            administrator.ask(document, json!({})).await.field("clientsSearch")["totalCount"]
                .clone()
        };
        assert_eq!(found().await, 0);
        app.operator
            .execute("DELETE FROM seaql_migrations WHERE version = 'm0035_name_folding'")
            .await;
        app.operator.database.migrate().await.unwrap();
        assert_eq!(found().await, ROWS);
    }

    async fn concurrent_migrations_succeed(engine: Engine) {
        let fresh = TestDatabase::empty(engine).await;
        let mut starts = Vec::new();
        for _ in 0..8 {
            let fresh = fresh.clone();
            starts.push(tokio::spawn(async move {
                // An embedded database is brought up to date by each start, a shared one by
                // `migrate up`.
                match fresh.engine {
                    Engine::Sqlite => {
                        Core::open(&fresh.config(), Environment::default()).await.map(drop)
                    }
                    Engine::Postgres => open(&fresh).await.migrate().await,
                }
            }));
        }
        for start in starts {
            start.await.unwrap().unwrap();
        }
        assert!(applied(&open(&fresh).await).await.iter().all(|applied| *applied));
    }

    async fn concurrent_first_starts_share_one_signing_key(database: Arc<TestDatabase>) {
        use tenant_gateway::app::App;
        let mut starts = Vec::new();
        for _ in 0..8 {
            let database = database.clone();
            starts.push(tokio::spawn(async move {
                App::build(&database.config(), "http://gateway".to_owned(), Environment::default())
                    .await
                    .map(drop)
            }));
        }
        for start in starts {
            start.await.unwrap().unwrap();
        }
        let database = open(&database).await;
        let count = Statement::from_string(
            database.reader().get_database_backend(),
            "SELECT COUNT(*) AS keys FROM signing_keys",
        );
        let row = database.reader().query_one_raw(count).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "keys").unwrap(), 1);
    }

    async fn newer_schema_is_refused_with_the_version_that_made_it(database: Arc<TestDatabase>) {
        let opened = open(&database).await;
        opened.migrate().await.unwrap();
        run_by_a_newer_version(&opened, "m9998_future", true).await;
        run_by_a_newer_version(&opened, "m9999_future", false).await;
        let refused = refusal(&database).await;
        for word in ["schema", "m9999_future", "version 9.8.7", "migrate down --to"] {
            assert!(refused.contains(word), "{word}: {refused}");
        }
        assert_eq!(opened.migrate().await.unwrap_err().explained(), refused);
    }

    async fn newer_schema_without_recorded_version_is_refused(database: Arc<TestDatabase>) {
        let opened = open(&database).await;
        opened.migrate().await.unwrap();
        let sql = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)";
        opened.reader().execute_unprepared(sql).await.unwrap();
        let refused = refusal(&database).await;
        assert!(
            refused.contains("a newer version") && refused.contains("m9999_future"),
            "{refused}"
        );
    }

    async fn additive_change_of_a_newer_version_is_compatible(database: Arc<TestDatabase>) {
        let opened = open(&database).await;
        opened.migrate().await.unwrap();
        run_by_a_newer_version(&opened, "m9999_future", true).await;
        let core = Core::open(&database.config(), Environment::default()).await.unwrap();
        core.database.migrate().await.unwrap();
        assert!(core.database.migrations().await.unwrap().iter().all(|(_, applied)| *applied));
    }

    async fn migrations_can_be_reverted_down_to_a_named_one(deployment: Deployment) {
        deployment.init();
        let states = |output: std::process::Output| {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let changes: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
            changes
                .into_iter()
                .map(|change| (change["change"].clone(), change["state"] == "applied"))
                .collect::<Vec<_>>()
        };
        let before = states(deployment.run(&["migrate", "status", "--output", "json"]));
        let last_kept = before.len() - 3;
        let name = before[last_kept].0.as_str().unwrap();
        let after = states(deployment.run(&["migrate", "down", "--to", name, "--output", "json"]));
        let applied: Vec<_> = after.iter().map(|(_, applied)| *applied).collect();
        let expected: Vec<_> = (0..before.len()).map(|position| position <= last_kept).collect();
        assert_eq!(applied, expected);
        assert_eq!(states(deployment.run(&["migrate", "up", "--output", "json"])), before);
        let unknown = deployment.run(&["migrate", "down", "--to", "m0000_nothing"]);
        assert_eq!(unknown.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("migrate status"));
        let process = deployment.serve().await;
        if deployment.database.engine == Engine::Sqlite {
            let refused = deployment.run(&["migrate", "down", "--to", name]);
            assert!(String::from_utf8_lossy(&refused.stderr).contains("another gateway"));
        }
        drop(process);
    }
}

both_databases! {
    async fn remote_ids_are_made_canonical_and_conflicts_are_named(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = upstreams::register(&partner, "DEEP_SECURITY").await;
        let north = upstreams::link(&partner, app.world.north, &upstream, Some("7"))
            .await
            .field("linkTenant");
        let south = upstreams::link(&partner, app.world.south, &upstream, Some("8"))
            .await
            .field("linkTenant");
        let before = "DELETE FROM seaql_migrations WHERE version = 'm0023_canonical_remote_ids';";
        let spell = |old: &str, new: &str| {
            format!(
                "UPDATE upstream_links SET remote_tenant_id = '{new}' WHERE remote_tenant_id = \
                '{old}';"
            )
        };
        app.operator.execute(&format!("{before} {}", spell("7", "007"))).await;
        let remote_ids = async || {
            let database = open(&app.database).await;
            let sql = "SELECT remote_tenant_id AS id FROM upstream_links ORDER BY 1";
            let rows = database.reader().query_all_raw(Statement::from_string(
                database.reader().get_database_backend(),
                sql,
            ));
            rows.await
                .unwrap()
                .iter()
                .map(|row| row.try_get::<String>("", "id").unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(remote_ids().await, ["007", "8"]);
        open(&app.database).await.migrate().await.unwrap();
        assert_eq!(remote_ids().await, ["7", "8"]);

        app.operator.execute(&format!("{before} {}", spell("8", "07"))).await;
        let refused = open(&app.database).await.migrate().await.unwrap_err().explained();
        for named in [&north, &south] {
            assert!(refused.contains(named["id"].as_str().unwrap()), "{refused}");
        }
        assert_eq!(remote_ids().await, ["07", "7"], "the ids are unchanged");
        assert!(refused.contains("unlinkTenant"), "{refused}");
    }
}

/// SQLite refuses some of several processes that open a new file at once.
#[tokio::test]
async fn start_waits_for_lock_before_opening_database() {
    let fresh = TestDatabase::empty(Engine::Sqlite).await;
    let other = File::create(fresh.folder.path().join("start.lock")).unwrap();
    other.lock().unwrap();
    let config = fresh.config();
    let start =
        tokio::spawn(async move { Core::open(&config, Environment::default()).await.map(drop) });
    let waiting = format!(":{} ", other.metadata().unwrap().ino());
    eventually(30, "the start at the lock", async || {
        let locks = fs::read_to_string("/proc/locks").unwrap();
        locks.lines().any(|lock| lock.contains("->") && lock.contains(&waiting)).then_some(())
    })
    .await;
    let files: Vec<_> =
        fs::read_dir(fresh.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["start.lock"]);
    drop(other);
    start.await.unwrap().unwrap();
}

#[tokio::test]
async fn older_schema_on_postgres_is_refused_naming_the_command_to_run() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    forget_last_change(&open(&database).await).await;
    let refused = refusal(&database).await;
    assert!(refused.contains("`tenant-gateway migrate up`"), "{refused}");
}

#[tokio::test]
async fn empty_postgres_is_refused_naming_the_command_to_run() {
    let database = TestDatabase::empty(Engine::Postgres).await;
    let refused = refusal(&database).await;
    assert!(refused.contains("`tenant-gateway migrate up`"), "{refused}");
    assert!(objects(&open(&database).await).await.is_empty(), "the refusal changed nothing");
}
