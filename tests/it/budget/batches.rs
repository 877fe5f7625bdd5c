//! Batched reads: a list costs a fixed number of statements per field, regardless of its rows.

use serde_json::{Value, json};
use tenant_gateway::names::Name;
use tenant_gateway::tenants::NewTenant;

use crate::support::{Caller, TestApp, both_databases};
use crate::upstreams::{link, register};

const ROWS: usize = 40;

/// The fields of the document that read the database.
const FIELDS: u64 = 8;

/// Every field of a listed tenant that reads the database.
const DOCUMENT: &str = "{ tenants(tenantsQuery: { count: 100 }) { tenants {
    id parent { name } effectiveRoles { via viaTenant { name } }
    upstreamLinks { tenant { id } upstream { name owner { id } } status { circuit } }
    upstreamLinksConnection { nodes { id } }
} } }";

/// The response, and the number of statements it took.
async fn asked(app: &TestApp, caller: &Caller) -> (Value, u64) {
    let before = app.operator.database.statements();
    let answered = caller.ask(DOCUMENT, json!({})).await.field("tenants");
    (answered["tenants"].clone(), app.operator.database.statements() - before)
}

both_databases! {
    async fn longer_list_takes_no_more_statements(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        link(&partner, app.world.north, &upstream, Some("7")).await.data();
        let (_, few) = asked(&app, &partner).await;
        let scope = app.operator.scope(app.world.organization);
        for number in 0..ROWS {
            let name = Name::parse("name", &format!("Row {number}")).unwrap();
            let new = NewTenant { name, parent: None, is_partner: false, is_organization: false };
            let made = app.operator.tenants.create(&scope, new).await.unwrap();
            link(&partner, made.id, &upstream, Some(&(100 + number).to_string())).await.data();
        }
        let (rows, many) = asked(&app, &partner).await;
        let rows = rows.as_array().unwrap();
        // Two fields that read the same kind of object may ask together or one after the other.
        assert!(many < few + FIELDS, "{few} statements, then {many} for {} rows", rows.len());
        let made = rows.iter().filter(|row| row["parent"]["name"] == "Organization");
        let mut linked = 0;
        for row in made {
            for found in row["upstreamLinks"].as_array().unwrap() {
                assert_eq!(found["tenant"]["id"], row["id"], "the link of another row");
                assert_eq!(found["upstream"]["owner"]["id"], json!(app.world.partner));
                linked += 1;
            }
            assert_eq!(row["effectiveRoles"][0]["via"], json!(app.world.partner));
        }
        assert_eq!(linked, ROWS + 1);
    }

    async fn batched_reads_return_no_row_of_foreign_tenants(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        for (tenant, remote) in [(app.world.north, "7"), (app.world.south, "8")] {
            link(&partner, tenant, &upstream, Some(remote)).await.data();
        }
        let north = app.administrator(app.world.north).await;
        let south = app.administrator(app.world.south).await;
        let ((of_north, _), (of_south, _), (of_partner, _)) =
            tokio::join!(asked(&app, &north), asked(&app, &south), asked(&app, &partner));
        for (rows, own) in [(of_north, app.world.north), (of_south, app.world.south)] {
            let rows = rows.as_array().unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0]["parent"], Value::Null);
            assert_eq!(rows[0]["effectiveRoles"][0]["via"], json!(own));
            let links = rows[0]["upstreamLinks"].as_array().unwrap();
            assert_eq!(links.len(), 1);
            assert_eq!(links[0]["tenant"]["id"], json!(own));
            assert_eq!(links[0]["upstream"]["owner"], Value::Null);
        }
        assert!(of_partner.as_array().unwrap().len() >= 4);
    }
}
