//! Tokens of people: one rule of access for them and for clients.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway::tokens::Narrowing;
use tenant_gateway::users::Grant;

use super::{PASSWORD, enrol, invited, invited_by_operator, origin, signed_in, signed_in_narrowed};
use crate::support::{Caller, TestApp, both_databases, notes};

const END_OF: &str = "mutation($roles: [ID!]) {
    createClient(name: \"made\", roles: $roles) { client { roleAssignments { expiresAt } } clientSecret } }";

async fn end_of_created_client(caller: &Caller) -> Value {
    let roles = json!({ "roles": [Role::Auditor.id()] });
    let made = caller.ask(END_OF, roles).await.field("createClient");
    made["client"]["roleAssignments"][0]["expiresAt"].clone()
}

both_databases! {
    async fn person_may_what_their_roles_permit_in_the_tenant_of_the_header(app: TestApp) {
        let partner = invited_by_operator(&app, app.world.partner, &[Role::Administrator]).await;
        let person = signed_in(&app, partner.user()).await;
        for tenant in [app.world.partner, app.world.north] {
            let document = "{ requestTenantContext { tenantIDs } }";
            let answer = person.within(tenant).ask(document, json!({})).await;
            assert_eq!(answer.field("requestTenantContext"), json!({ "tenantIDs": [tenant] }));
        }
        let foreign = person.within(app.world.stranger).ask("{ __typename }", json!({})).await;
        let unknown = "00000000-0000-4000-8000-000000000000";
        let unknown = person.within(unknown).ask("{ __typename }", json!({})).await;
        assert_eq!(foreign.learnt(), unknown.learnt());
        assert_eq!(foreign.code(), "FORBIDDEN");
        person.within(app.world.north).create("made by a person", &[]).await;
        let auditor = invited_by_operator(&app, app.world.north, &[Role::Auditor]).await;
        let auditor = signed_in(&app, auditor.user()).await;
        let answer = auditor.ask(END_OF, json!({ "roles": [] })).await;
        assert_eq!(answer.code(), "FORBIDDEN");
    }

    async fn queries_tell_who_the_person_is(app: TestApp) {
        let invitee = invited_by_operator(&app, app.world.north, &[Role::Auditor]).await;
        let person = signed_in(&app, invitee.user()).await;
        let document = "{ currentSubject { id name displayName identity { __typename
            ... on TDRUser { id email } } }
            currentTDRUser { id email status roles role_assignments { tenant_id role_name } } }";
        let found = person.ask(document, json!({})).await.data();
        assert_eq!(found, json!({
            "currentSubject": {
                "id": invitee.id,
                "name": invitee.email,
                "displayName": "Ada Lovelace",
                "identity": { "__typename": "TDRUser", "id": invitee.id, "email": invitee.email },
            },
            "currentTDRUser": {
                "id": invitee.id,
                "email": invitee.email,
                "status": "INVITED",
                "roles": [Role::Auditor.id()],
                "role_assignments": [{ "tenant_id": app.world.north, "role_name": "TenantAuditor" }],
            },
        }));
    }

    async fn narrowed_token_tells_only_the_roles_that_apply_in_context(app: TestApp) {
        let world = app.world;
        let invitee = invited_by_operator(&app, world.organization, &[Role::Auditor]).await;
        let scope = app.operator.scope(world.top);
        let grant =
            Grant { tenant: Some(world.stranger), role: Role::Responder, expires_at: None };
        app.operator.users.assign_role(&scope, &invitee.id, grant).await.unwrap();
        let roles = async |scope: &str| {
            let narrowing = Narrowing { tenant: None, scope: scope.to_owned() };
            let person = signed_in_narrowed(&app, invitee.user(), narrowing).await;
            let document = "{ currentTDRUser { role_assignments { tenant_id } } }";
            let told = person.ask(document, json!({})).await.field("currentTDRUser");
            told["role_assignments"].as_array().unwrap().len()
        };
        assert_eq!(roles("graphql").await, 2);
        assert_eq!(roles("users:read").await, 2, "it may read users at home");
        assert_eq!(roles("legacy:read").await, 1);
    }

    async fn token_ends_with_the_user_their_tenant_and_their_sign_out(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let invitee = invited_by_operator(&app, app.world.north, &[Role::Auditor]).await;
        let change = async |document: &str, id: &Value| {
            administrator.ask(document, json!({ "id": id })).await.data();
        };
        let disable = "mutation($id: ID!) { disableUser(id: $id) { id } }";
        let enable = "mutation($id: ID!) { enableUser(id: $id) { id } }";
        let sign_out = "mutation($id: ID!) { signOutUser(id: $id) { id } }";
        let close = "mutation($id: ID!) {
            updateTenant(tenantID: $id, tenantUpdate: { enabled: false }) { id } }";
        let open = "mutation($id: ID!) {
            updateTenant(tenantID: $id, tenantUpdate: { enabled: true }) { id } }";
        let id = json!(invitee.id);
        let north = json!(app.world.north);
        for (ending, undoing, object) in [
            (disable, Some(enable), &id),
            (sign_out, None, &id),
            (close, Some(open), &north),
        ] {
            let person = signed_in(&app, invitee.user()).await;
            assert_eq!(person.status().await, 200);
            change(ending, object).await;
            assert_eq!(person.status().await, 401, "{ending}");
            if let Some(undoing) = undoing {
                change(undoing, object).await;
            }
        }
        let person = signed_in(&app, invitee.user()).await;
        app.operator.users.sign_out_everywhere(invitee.user(), &origin()).await.unwrap();
        assert_eq!(person.status().await, 401);
    }

    async fn client_made_by_a_person_never_outlives_their_right(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let invitee = invited(&administrator, &[]).await;
        let end = app.in_seconds(3600);
        let assign = "mutation($id: ID!, $role: UserRoleAssignmentInput!) {
            assignUserRole(id: $id, role: $role) { id } }";
        let role = json!({ "roleID": Role::Administrator.id(), "expiresAt": end });
        administrator.ask(assign, json!({ "id": invitee.id, "role": role })).await.data();
        let person = signed_in(&app, invitee.user()).await;
        assert_eq!(end_of_created_client(&person).await, json!(end));
        assert_eq!(end_of_created_client(&administrator).await, Value::Null);
    }

    async fn claims_tell_the_kind_of_the_subject(app: TestApp) {
        let invitee = invited_by_operator(&app, app.world.north, &[Role::Auditor]).await;
        let person = signed_in(&app, invitee.user()).await;
        let introspector = app.credentials(app.world.north, Role::Auditor).await;
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", &person.token)
            .finish();
        let request = app.gateway.http.post(format!("{}/oauth2/introspect", app.gateway.url));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", introspector.basic())
            .body(body);
        let told = app.gateway.send(request).await.body;
        assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!(invitee.id)));
        assert_eq!(told["subject_type"], "user");
        assert_eq!(told["client_id"], "taegis-sdk");
        assert_eq!(told["auth_time"], app.now().seconds());
        assert_eq!(told["amr"], json!(["pwd", "otp"]));
    }

    async fn person_counts_as_administrator_once_they_can_sign_in(app: TestApp) {
        notes::note(PASSWORD);
        // The administrators above are removed, so that one of the tenant's own is the last.
        let tenant = app.world.stranger;
        let administrator = app.administrator(tenant).await;
        let invitee = invited(&administrator, &[Role::Administrator]).await;
        let delete = "mutation($id: ID!) { deleteClient(id: $id) { id } }";
        let delete_own = async || {
            administrator.ask(delete, json!({ "id": administrator.id() })).await
        };
        assert_eq!(delete_own().await.code(), "CONFLICT", "only invited");
        let users = &app.operator.users;
        users.accept_invitation(&invitee.token, PASSWORD, &origin()).await.unwrap();
        assert_eq!(delete_own().await.code(), "CONFLICT", "no second factor");
        enrol(&app, invitee.user()).await;
        delete_own().await.data();
        let person = signed_in(&app, invitee.user()).await;
        for field in ["disableUser", "deleteUser"] {
            let document = format!("mutation($id: ID!) {{ {field}(id: $id) {{ id }} }}");
            let answer = person.ask(&document, json!({ "id": invitee.id })).await;
            assert_eq!(answer.code(), "CONFLICT", "{field}");
        }
        for field in ["resetUserMfa", "resetUserPassword"] {
            let document = format!("mutation($id: ID!) {{ {field}(id: $id) {{ inviteURL }} }}");
            let answer = person.ask(&document, json!({ "id": invitee.id })).await;
            assert_eq!(answer.code(), "CONFLICT", "{field}");
        }
    }
}
