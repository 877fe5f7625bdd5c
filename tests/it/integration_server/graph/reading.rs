use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::integration_server::Dialect;

use super::House;
use crate::support::both_databases;

const TENANT: &str = "{ integrationServer { tenant { remoteID name description userData status \
    statusText type administrationServer { administrator } } } }";

fn names(connection: &Value) -> Vec<&str> {
    connection["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].as_str().unwrap())
        .collect()
}

both_databases! {
    async fn tenant_sees_itself_and_its_machines(house: House) {
        let tenant =
            house.north.ask(TENANT, json!({})).await.field("integrationServer")["tenant"].clone();
        let expected = json!({
            "remoteID": house.server.tenant("North").id,
            "name": "North",
            "description": "the first",
            "userData": "<crm id=\"7\"/>",
            "status": "ACTIVE",
            "statusText": "Active",
            "type": "COMPLETE",
            "administrationServer": { "administrator": "north-admin" },
        });
        assert_eq!(tenant, expected);
        let document = "{ integrationServer { virtualMachines { nodes { id biosID name created } \
            pageInfo { hasNextPage } } } }";
        let seen = house.north.ask(document, json!({})).await.field("integrationServer");
        let machines = seen["virtualMachines"].clone();
        assert_eq!(names(&machines), ["web-01", "web-02", "web-03"]);
        assert_eq!(machines["pageInfo"]["hasNextPage"], false);
        assert_eq!(
            house.server.count(&Calls::to("GET", "/tenants")),
            0,
            "the list of all tenants is not needed"
        );
    }

    async fn every_dialect_gives_the_same_answer(engine: Engine) {
        let house = House::on(engine).await;
        let document = "{ integrationServer { tenant { remoteID name description userData status
            type administrationServer { remoteID administrator }
            created updated } virtualMachines { nodes { remoteID biosID name userData created
            updated } } } }";
        let expected = house.north.ask(document, json!({})).await.data();
        for dialect in Dialect::ALL {
            house.server.set_dialect(dialect);
            assert_eq!(
                house.north.ask(document, json!({})).await.data(),
                expected,
                "{}",
                dialect.name
            );
        }
    }

    async fn lists_are_paged_and_searched(house: House) {
        let document = "query($first: Int, $after: String, $name: String) { integrationServer {
            virtualMachines(first: $first, after: $after, name: $name) { nodes { name } pageInfo {
            hasNextPage endCursor } } } }";
        let ask = async |variables: Value| {
            house.north.ask(document, variables).await.field("integrationServer")["virtualMachines"]
                .clone()
        };
        let first = ask(json!({ "first": 2 })).await;
        assert_eq!(
            (names(&first), &first["pageInfo"]["hasNextPage"]),
            (vec!["web-01", "web-02"], &json!(true))
        );
        let second = ask(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
        assert_eq!(
            (names(&second), &second["pageInfo"]["hasNextPage"]),
            (vec!["web-03"], &json!(false))
        );
        assert_eq!(names(&ask(json!({ "name": "WEB%2" })).await), ["web-02"]);
        assert_eq!(names(&ask(json!({ "name": "web_02" })).await), Vec::<&str>::new());
        for (variables, argument) in [
            (json!({ "first": 0 }), "first"),
            (json!({ "first": 5001 }), "first"),
            (json!({ "after": "x" }), "after"),
        ] {
            let refused = house.north.ask(document, variables).await;
            assert_eq!(refused.code(), "BAD_USER_INPUT");
            assert!(refused.message().starts_with(argument), "{}", refused.message());
        }
    }

    async fn query_over_tenants_reads_each_at_its_own_path(house: House) {
        let document = "{ tenants { tenants { name integrationServer { tenant { name } } } } }";
        let answer =
            house.partner.within(house.app.world.organization).ask(document, json!({})).await;
        let tenants = answer.body["data"]["tenants"]["tenants"].as_array().unwrap().clone();
        let of = |name: &str| {
            tenants.iter().find(|tenant| tenant["name"] == name).unwrap()["integrationServer"]
                .clone()
        };
        assert_eq!(of("North")["tenant"]["name"], "North");
        assert_eq!(of("South")["tenant"]["name"], "South");
        assert_eq!(of("Organization"), Value::Null);
        let errors = answer.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0]["extensions"]["code"], "UPSTREAM_NOT_LINKED");
        assert_eq!(errors[0]["extensions"]["tenantID"], json!(house.app.world.organization));
    }

    async fn only_the_owner_sees_all_tenants(house: House) {
        let document = "{ integrationServer { tenants { nodes { name } } } }";
        let all = house.partner.ask(document, json!({})).await.field("integrationServer");
        assert_eq!(names(&all["tenants"]), ["North", "Other", "South"]);
        assert_eq!(house.north.ask(document, json!({})).await.code(), "FORBIDDEN");
    }

    async fn fields_of_one_query_share_upstream_calls(house: House) {
        let document = "{ integrationServer { a: tenant { id } b: tenant { name } } again: \
            integrationServer { tenant { id } } }";
        house.north.ask(document, json!({})).await.data();
        assert_eq!(house.server.count(&Calls::to("GET", "/tenants/*")), 1);
    }
}
