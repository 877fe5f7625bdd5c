//! Retention and export of audit records.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use super::log;
use crate::support::process::Deployment;
use crate::support::{Engine, TestApp, both_databases};

const DAY: u64 = 24 * 3600;
const RETENTION: Duration = Duration::from_secs(400 * DAY);

/// Counts the records of an operation.
async fn count(app: &TestApp, operation: &str) -> i64 {
    let reader = app.operator.database.reader();
    let sql = format!("SELECT COUNT(*) AS n FROM audit_log WHERE operation = '{operation}'");
    let count = Statement::from_string(reader.get_database_backend(), sql);
    reader.query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap()
}

/// Inserts that many records dated now.
async fn add(app: &TestApp, operation: &str, many: u32) {
    let id = match app.database.engine {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let at = app.now().millis();
    let any = "(SELECT id FROM tenants LIMIT 1)";
    let sql = format!(
        "WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE
        number < {many})
         INSERT INTO audit_log (id, at, actor, tenant_id, operation, outcome, request_id)
         SELECT {id}, {at}, 'operator', {any}, '{operation}', 'SUCCEEDED', 'r' FROM numbers"
    );
    app.operator.execute(&sql).await;
}

both_databases! {
    async fn only_records_older_than_the_retention_are_deleted(app: TestApp) {
        add(&app, "old", 1201).await;
        app.advance(1);
        add(&app, "kept", 3).await;
        app.advance(400 * DAY - 1);
        app.background_jobs.prune_audit(RETENTION).await.unwrap();
        assert_eq!(count(&app, "old").await, 1201, "not yet older than the retention");
        app.advance(1);
        app.background_jobs.prune_audit(RETENTION).await.unwrap();
        assert_eq!((count(&app, "old").await, count(&app, "kept").await), (0, 3));
    }

    async fn nodes_that_prune_at_once_do_not_stand_in_each_others_way(app: TestApp) {
        let another = app.another_node().await;
        add(&app, "old", 3000).await;
        app.advance(401 * DAY);
        let administrator = app.administrator(app.world.north).await;
        let (one, other, _) = tokio::join!(
            app.background_jobs.prune_audit(RETENTION),
            another.background_jobs.prune_audit(RETENTION),
            administrator.create("in between", &[]),
        );
        one.unwrap();
        other.unwrap();
        app.background_jobs.prune_audit(RETENTION).await.unwrap();
        assert_eq!(count(&app, "old").await, 0);
        assert_eq!(log(&administrator, "operation: \"createClient\", first: 1").await.len(), 1);
    }

    async fn export_prints_the_records_of_a_period_line_by_line(deployment: Deployment) {
        deployment.init();
        assert!(
            deployment
                .run(&["client", "create", "--name", "robot", "--output", "json"])
                .status
                .success()
        );
        let export = |arguments: &[&str]| {
            let ran = deployment.run(&[&["audit", "export"], arguments].concat());
            assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
            let text = String::from_utf8(ran.stdout).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
        };
        let records = export(&[]);
        assert_eq!(records.len(), 2, "{records:?}");
        let robot = &records[1];
        assert_eq!(
            (&robot["operation"], &robot["actor"]),
            (&json!("createClient"), &json!("operator"))
        );
        assert_eq!(
            (&robot["outcome"], &robot["after"]["name"]),
            (&json!("SUCCEEDED"), &json!("robot"))
        );
        let at = robot["at"].as_str().unwrap();
        assert_eq!(export(&["--from", at]).last(), Some(robot), "from a time");
        assert!(!export(&["--to", at]).contains(robot), "before a time");
        assert_eq!(
            export(&["--from", "2001-01-01T00:00:00Z", "--to", "2001-01-02T00:00:00Z"]),
            Vec::<Value>::new()
        );
        for wrong in [
            &["--from", "yesterday"][..],
            &["--from", "2001-01-02T00:00:00Z", "--to", "2001-01-01T00:00:00Z"],
        ] {
            let ran = deployment.run(&[&["audit", "export"], wrong].concat());
            assert_eq!(ran.status.code(), Some(1), "{wrong:?}");
            assert!(
                String::from_utf8_lossy(&ran.stderr).contains(wrong[wrong.len() - 2]),
                "{wrong:?}"
            );
        }
    }
}
