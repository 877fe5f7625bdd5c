//! Lookups of people by their columns: none reads a whole table.

use sea_orm::{ConnectionTrait, Statement};

use crate::support::{Engine, TestApp, both_databases};

/// The steps by which the database would execute a statement.
async fn plan(app: &TestApp, sql: &str) -> String {
    let write = app.operator.database.begin().await.unwrap();
    let on = write.on();
    let (explain, column) = match app.database.engine {
        Engine::Sqlite => (format!("EXPLAIN QUERY PLAN {sql}"), "detail"),
        Engine::Postgres => {
            // Empty tables are read whole unless that costs more than anything else.
            on.execute_unprepared("SET LOCAL enable_seqscan = off").await.unwrap();
            (format!("EXPLAIN {sql}"), "QUERY PLAN")
        }
    };
    let statement = Statement::from_string(on.get_database_backend(), explain);
    let steps = on.query_all_raw(statement).await.unwrap();
    let steps = steps.iter().map(|step| step.try_get::<String>("", column).unwrap());
    steps.collect::<Vec<_>>().join("\n")
}

both_databases! {
    async fn lookups_use_an_index(app: TestApp) {
        let (bytes, uuid, domain) = match app.database.engine {
            Engine::Sqlite => {
                ("X'00'", "X'00'", "substr(email_folded, instr(email_folded, '@') + 1)")
            }
            Engine::Postgres => (
                "'\\x00'::bytea",
                "'00000000-0000-4000-8000-000000000000'::uuid",
                "split_part(email_folded, '@', 2)",
            ),
        };
        for sql in [
            format!("DELETE FROM passkey_ceremonies WHERE browser_hash = {bytes}"),
            format!("SELECT id FROM users WHERE {domain} = 'north.example' LIMIT 1"),
            format!("SELECT id FROM identity_providers WHERE emergency_user_id = {uuid}"),
            format!(
                "SELECT COUNT(*) FROM device_codes WHERE tenant_id = {uuid} AND expires_at > 1"
            ),
            format!(
                "SELECT COUNT(*) FROM device_codes
                WHERE address_key >= {bytes} AND address_key <= {bytes}"
            ),
            format!("SELECT id FROM sign_in_failures WHERE identity = {bytes}"),
            "DELETE FROM sign_in_failures WHERE kept_until <= 1".to_owned(),
        ] {
            let plan = plan(&app, &sql).await;
            assert!(!plan.contains("SCAN") && !plan.contains("Seq Scan"), "{sql}\n{plan}");
        }
    }

    /// Deleting a row looks for those that refer to it.
    async fn references_to_people_and_providers_are_indexed(app: TestApp) {
        let sql = match app.database.engine {
            Engine::Sqlite => {
                "SELECT m.name || '.' || f.\"from\" AS name
                FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
                WHERE m.type = 'table' AND f.\"table\" IN ('users', 'identity_providers')
                AND NOT EXISTS (
                    SELECT 1 FROM pragma_index_list(m.name) i JOIN pragma_index_info(i.name) c
                    WHERE c.seqno = 0 AND c.name = f.\"from\"
                )"
            }
            Engine::Postgres => {
                "SELECT c.conrelid::regclass::text || '.' || a.attname AS name
                FROM pg_constraint c
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                WHERE c.contype = 'f'
                AND c.confrelid IN ('users'::regclass, 'identity_providers'::regclass)
                AND NOT EXISTS (
                    SELECT 1 FROM pg_index i
                    WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]
                )"
            }
        };
        let reader = app.operator.database.reader();
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let found = reader.query_all_raw(statement).await.unwrap();
        let found: Vec<String> =
            found.iter().map(|row| row.try_get("", "name").unwrap()).collect();
        assert_eq!(found, Vec::<String>::new());
    }
}
