//! List arguments of the maximum length.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Caller, TestApp, both_databases};

/// The maximum length of a list.
const LONGEST: usize = 1000;

/// Distinct entries, of which only the last matches.
fn entries(found: &Value) -> Vec<Value> {
    let unknown = (1..LONGEST).map(|number| json!(format!("00000000-0000-4000-8000-{number:012}")));
    unknown.chain([found.clone()]).collect()
}

/// The names of the list fields of an input.
async fn lists_of(caller: &Caller, input: &str) -> Vec<String> {
    let document = "query($input: String!) { __type(name: $input) {
        inputFields(includeDeprecated: true) { name type { kind ofType { kind } } } } }";
    let fields =
        caller.ask(document, json!({ "input": input })).await.field("__type")["inputFields"]
            .clone();
    let lists = fields.as_array().unwrap().iter().filter(|field| field["type"]["kind"] == "LIST");
    lists.map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

both_databases! {
    async fn every_tenant_filter_accepts_the_longest_list(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let found = |list: &str| match list {
            "names" => json!("nor*"),
            "partners" => json!(app.world.partner),
            "organizations" | "hierarchies" => json!(app.world.organization),
            _ => json!(app.world.north),
        };
        let lists = lists_of(&administrator, "TenantsQuery").await;
        let offered = ["ids", "names", "hierarchies", "partners", "organizations"];
        assert!(offered.iter().all(|list| lists.iter().any(|found| found == list)), "{lists:?}");
        for list in lists {
            let matchers = ["labelsMatch", "subscriptionsMatch"].contains(&&*list);
            let long = if matchers { vec![json!({}); LONGEST] } else { entries(&found(&list)) };
            let document = "query($query: TenantsQuery) { tenants(tenantsQuery: $query) { \
                totalCount tenants { id } } }";
            let answer = administrator.ask(document, json!({ "query": { &*list: long } })).await;
            if offered.contains(&&*list) {
                let count = answer.field("tenants")["totalCount"].as_i64().unwrap();
                assert!(count > 0, "{list} finds what its last entry names");
            } else {
                assert_eq!(answer.code(), "BAD_USER_INPUT", "{list} is not offered");
            }
        }
    }

    async fn every_client_filter_accepts_the_longest_list(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let found = |list: &str| match list {
            "clientIDs" => json!(administrator.id()),
            "roleIDs" => json!(Role::Administrator.id()),
            _ => json!(app.world.north),
        };
        let lists = lists_of(&administrator, "ClientsSearchInput").await;
        assert_eq!(lists, ["clientIDs", "roleIDs", "tenantIDs"]);
        for list in lists {
            let variables = json!({ "list": entries(&found(&list)) });
            let document = format!(
                "query($list: [ID!]) {{ clientsSearch(filters: {{ {list}: $list }}) {{ totalCount \
                }} }}"
            );
            let answer = administrator.ask(&document, variables.clone()).await;
            assert_eq!(answer.field("clientsSearch"), json!({ "totalCount": 1 }), "{list}");
            let document = format!("query($list: [ID!]) {{ clients({list}: $list) {{ id }} }}");
            let answer = administrator.ask(&document, variables).await;
            assert_eq!(answer.field("clients"), json!([{ "id": administrator.id() }]), "{list}");
        }
    }

    async fn every_client_mutation_accepts_the_longest_list(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let roles = vec![json!(Role::Auditor.id()); LONGEST];
        let create = "mutation($roles: [ID!]) { createClient(name: \"robot\", roles: $roles) { \
            client { id } } }";
        let made = administrator.ask(create, json!({ "roles": roles })).await.field("createClient");
        let id = &made["client"]["id"];
        let append = "mutation($id: ID!, $roles: [ClientRoleAssignmentInput!]!) {
            appendClientRoles(id: $id, roles: $roles) { roleAssignments { roleName } } }";
        let grants = vec![json!({ "roleID": Role::Responder.id() }); LONGEST];
        let given = administrator
            .ask(append, json!({ "id": id, "roles": grants }))
            .await
            .field("appendClientRoles");
        assert_eq!(given["roleAssignments"].as_array().unwrap().len(), 2);
        let remove = "mutation($id: ID!, $roles: [ID!]!) { removeClientRoles(id: $id, roles: \
            $roles) { roles } }";
        let left = administrator
            .ask(remove, json!({ "id": id, "roles": roles }))
            .await
            .field("removeClientRoles");
        assert_eq!(left, json!({ "roles": Role::Responder.id() }));
    }

    async fn longer_lists_are_refused(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let long = vec![json!("x"); LONGEST + 1];
        for list in ["ids", "names", "hierarchies", "partners", "organizations"] {
            let document =
                "query($query: TenantsQuery) { tenants(tenantsQuery: $query) { totalCount } }";
            let answer = administrator.ask(document, json!({ "query": { list: long } })).await;
            assert_eq!(answer.code(), "BAD_USER_INPUT", "{list}");
        }
    }
}
