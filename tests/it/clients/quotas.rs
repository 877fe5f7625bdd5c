//! Quotas of tenants.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use crate::support::{Answer, Caller, TestApp, both_databases};

const CREATE: &str = "mutation($key: String) { createClient(name: \"robot\", idempotencyKey: $key) \
    { clientSecret client { id } } }";

async fn create_tenant(caller: &Caller, parent: impl serde::Serialize) -> Answer {
    let document = "mutation($parent: ID!) { createTenant(newTenant: { name: \"made\", \
        parentTenantID: $parent }) { id } }";
    caller.ask(document, json!({ "parent": parent })).await
}

/// Counts the successful responses; all others must be refused for the quota.
fn successes(answers: &[Answer], setting: &str) -> usize {
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.body.get("errors").is_none());
    for answer in refused {
        assert_eq!(answer.code(), "CONFLICT");
        assert!(answer.message().contains(setting), "{}", answer.message());
    }
    made.len()
}

both_databases! {
    async fn tenant_has_no_more_clients_than_its_quota(engine: Engine) {
        let app = TestApp::with(engine, |config| config.quotas.clients_per_tenant = 5).await;
        let another_node =
            app.another_node_with(|config| config.quotas.clients_per_tenant = 5).await;
        let administrator = app.administrator(app.world.organization).await;
        let here = administrator.within(app.world.north);
        let there = administrator.at(&another_node).within(app.world.north);
        let requests = (0..12).map(|number| if number % 2 == 0 { &here } else { &there });
        let answers = join_all(requests.map(|caller| caller.ask(CREATE, json!({})))).await;
        assert_eq!(successes(&answers, "quotas.clients_per_tenant"), 5);

        // Other tenants have their own quotas, and the operator can restore a lost administrator.
        administrator.within(app.world.south).ask(CREATE, json!({})).await.data();
        let lost = app.credentials(app.world.north, Role::Auditor).await;
        let delete = "mutation($id: ID!) { deleteClient(id: $id) { id } }";
        here.ask(delete, json!({ "id": lost.id })).await.data();
        assert_eq!(here.ask(CREATE, json!({})).await.code(), "CONFLICT");
        let clients = here.ask("{ clients { id } }", json!({})).await.field("clients");
        here.ask(delete, json!({ "id": clients[0]["id"] })).await.data();
        here.ask(CREATE, json!({})).await.data();
    }

    async fn repeated_request_finds_its_client_where_the_quota_is_used_up(engine: Engine) {
        let app = TestApp::with(engine, |config| config.quotas.clients_per_tenant = 1).await;
        let administrator = app.administrator(app.world.organization).await.within(app.world.north);
        let first = administrator.ask(CREATE, json!({ "key": "once" })).await.field("createClient");
        let again = administrator.ask(CREATE, json!({ "key": "once" })).await.field("createClient");
        assert_eq!((&again["client"], &again["clientSecret"]), (&first["client"], &json!("")));
        assert_eq!(administrator.ask(CREATE, json!({ "key": "twice" })).await.code(), "CONFLICT");
    }

    async fn customer_has_no_more_tenants_below_it_than_its_quota(engine: Engine) {
        let app = TestApp::with(engine, |config| config.quotas.tenants_below_tenant = 5).await;
        let administrator = app.administrator(app.world.partner).await;
        let below =
            create_tenant(&administrator, app.world.north).await.field("createTenant")["id"]
                .clone();
        // The organization now has three descendants: two more fit.
        let parents = (0..10)
            .map(|number| if number % 2 == 0 { json!(app.world.south) } else { below.clone() });
        let answers = join_all(parents.map(|parent| create_tenant(&administrator, parent))).await;
        assert_eq!(successes(&answers, "quotas.tenants_below_tenant"), 2);

        let stranger = app.administrator(app.world.stranger).await;
        create_tenant(&stranger, app.world.stranger).await.data();
    }

    async fn partner_has_no_more_tenants_below_it_than_its_quota(engine: Engine) {
        let settings =
            |config: &mut tenant_gateway::config::Config| config.quotas.tenants_below_partner = 9;
        let app = TestApp::with(engine, settings).await;
        let another_node = app.another_node_with(settings).await;
        // The root has five descendants, so four more fit, whoever the caller is.
        let one = app.administrator(app.world.partner).await;
        let two = app.administrator(app.world.stranger).await.at(&another_node);
        let partner = app.world.partner;
        let stranger = app.world.stranger;
        let requests =
            (0..12).map(|number| if number % 2 == 0 { (&one, partner) } else { (&two, stranger) });
        let answers =
            join_all(requests.map(|(caller, parent)| create_tenant(caller, parent))).await;
        assert_eq!(successes(&answers, "quotas.tenants_below_partner"), 4);
    }

    async fn client_holds_no_more_roles_than_its_quota(engine: Engine) {
        let app = TestApp::with(engine, |config| config.quotas.roles_per_client = 2).await;
        let administrator = app.administrator(app.world.organization).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let append = async |roles: &[Role]| {
            let document = "mutation($id: ID!, $roles: [ClientRoleAssignmentInput!]!) {
                appendClientRoles(id: $id, roles: $roles) { roleAssignments { roleName } } }";
            let roles: Vec<Value> =
                roles.iter().map(|role| json!({ "roleID": role.id() })).collect();
            administrator.ask(document, json!({ "id": robot.id, "roles": roles })).await
        };
        let refused = append(&[Role::Responder, Role::Analyst]).await;
        assert_eq!(refused.code(), "CONFLICT");
        assert!(refused.message().contains("quotas.roles_per_client"));
        append(&[Role::Responder]).await.data();
        append(&[Role::Responder]).await.data();
        assert_eq!(append(&[Role::Auditor]).await.code(), "CONFLICT");
    }
}
