//! Conflicting transactions on PostgreSQL: every write of the gateway is repeated after a conflict.

use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::roles::Role;

use crate::oauth::asking::revoke;
use crate::support::{Engine, OnEngine, TestApp};
use crate::upstreams::{link, register};

/// Lets every second transaction that changes one of the tables fail with a serialization error.
const MEET_OTHERS: &str = "
    CREATE SEQUENCE conflicts;
    CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('test.counted', true) IS DISTINCT FROM txid_current()::text THEN
            PERFORM set_config('test.counted', txid_current()::text, true);
            IF nextval('conflicts') % 2 = 1 THEN
                RAISE EXCEPTION 'met another transaction' USING ERRCODE = TG_ARGV[0];
            END IF;
        END IF;
        RETURN NULL;
    END $$;";

/// The tables that the modules for upstreams, tokens and the audit log write to.
const TABLES: [&str; 5] =
    ["upstreams", "upstream_links", "signing_keys", "revoked_tokens", "audit_log"];

async fn meet_others(app: &TestApp, state: &str) {
    app.operator.execute(MEET_OTHERS).await;
    for table in TABLES {
        let sql = format!(
            "CREATE TRIGGER conflict AFTER INSERT OR UPDATE OR DELETE ON {table}
             FOR EACH STATEMENT EXECUTE FUNCTION conflict('{state}')"
        );
        app.operator.execute(&sql).await;
    }
}

/// The number of transactions that changed one of the tables, including failed ones.
async fn transactions(app: &TestApp) -> i64 {
    let reader = app.operator.database.reader();
    let sql = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM conflicts";
    let select = Statement::from_string(reader.get_database_backend(), sql);
    reader.query_one_raw(select).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn every_write_is_repeated(state: &str) {
    let app = TestApp::on(Engine::Postgres).await;
    let partner = app.administrator(app.world.partner).await;
    let robot = app.caller(app.world.north, Role::Auditor).await;
    meet_others(&app, state).await;

    let upstream = register(&partner, "DEEP_SECURITY").await;
    let rename =
        r#"mutation($id: ID!) { updateUpstream(id: $id, input: { name: "Other" }) { name } }"#;
    let renamed = partner.ask(rename, json!({ "id": upstream["id"] })).await;
    assert_eq!(renamed.field("updateUpstream"), json!({ "name": "Other" }));
    let linked = link(&partner, app.world.north, &upstream, Some("7")).await.field("linkTenant");
    let unlink = "mutation($id: ID!) { unlinkTenant(id: $id) { id } }";
    partner.ask(unlink, json!({ "id": linked["id"] })).await.data();
    let remove = "mutation($id: ID!) { removeUpstream(id: $id) { id } }";
    partner.ask(remove, json!({ "id": upstream["id"] })).await.data();
    assert_eq!(transactions(&app).await, 10, "each of the five was repeated once");

    assert_eq!(revoke(&app, &robot.credentials, &robot.token).await, 200);
    let config = app.database.config();
    let core = Core::open(&config, Environment::default()).await.unwrap();
    let made = core.rotation(&config).rotate().await.unwrap();
    core.rotation(&config).revoke(made.id).await.unwrap();
    assert_eq!(transactions(&app).await, 16, "each of the eight was repeated once");

    let log = "{ auditLog { nodes { operation outcome } } }";
    let records = partner.ask(log, json!({})).await.field("auditLog");
    let records = records["nodes"].as_array().unwrap();
    for operation in
        ["registerUpstream", "updateUpstream", "linkTenant", "unlinkTenant", "removeUpstream"]
    {
        let of_it = records.iter().filter(|record| record["operation"] == operation);
        let outcomes: Vec<_> = of_it.map(|record| record["outcome"].as_str().unwrap()).collect();
        assert_eq!(outcomes, ["SUCCEEDED"], "{operation} is recorded once");
    }
    for tenant in [app.world.partner, app.world.north] {
        let verify = "{ auditVerify { outcome verifiedRecords head { position } } }";
        let found = partner.within(tenant).ask(verify, json!({})).await.field("auditVerify");
        assert_eq!(found["outcome"], "INTACT", "repeated transactions leave no gap: {found}");
        assert_eq!(found["verifiedRecords"], found["head"]["position"]);
    }
}

#[tokio::test]
async fn write_that_fails_to_serialize_is_repeated_in_every_room() {
    every_write_is_repeated("40001").await;
}

#[tokio::test]
async fn write_that_deadlocks_is_repeated_in_every_room() {
    every_write_is_repeated("40P01").await;
}
