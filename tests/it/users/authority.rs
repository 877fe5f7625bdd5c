//! Nobody changes a person who may do more than themselves.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::{invited, invited_by_operator, signed_in};
use crate::sessions::begun;
use crate::single_sign_on::linked;
use crate::support::{Caller, TestApp, both_databases};
use crate::tenancy::table::{MUTATIONS, Row};

/// The mutations that change a user who exists.
fn changes() -> impl Iterator<Item = &'static Row> {
    MUTATIONS.iter().filter(|row| row.object == Some("user"))
}

async fn assign(by: &Caller, user: &str, role: Role, expires_at: &Value) {
    let document = "mutation($id: ID!, $role: UserRoleAssignmentInput!) {
        assignUserRole(id: $id, role: $role) { id } }";
    let role = json!({ "roleID": role.id(), "expiresAt": expires_at });
    by.ask(document, json!({ "id": user, "role": role })).await.data();
}

async fn state(caller: &Caller, user: &str) -> Value {
    let document = "query($id: ID!) { user(id: $id) { name enabled hasPassword updatedAt
        invitedUntil roleAssignments { roleID expiresAt } } }";
    caller.ask(document, json!({ "id": user })).await.field("user")
}

both_databases! {
    async fn every_change_of_a_user_needs_a_hold_that_lasts_as_long(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let end = json!(app.in_seconds(3600));
        let limited = invited(&administrator, &[]).await;
        assign(&administrator, &limited.id, Role::Administrator, &end).await;
        let limited = signed_in(&app, limited.user()).await;
        assert!(changes().count() >= 10);
        for row in changes() {
            for beyond in [Value::Null, json!(app.in_seconds(7200))] {
                let stronger = invited(&administrator, &[]).await;
                assign(&administrator, &stronger.id, Role::Responder, &beyond).await;
                let before = state(&administrator, &stronger.id).await;
                let session = begun(&app, &stronger.id).await;
                linked(&app, &stronger.id).await;
                let variables = json!({ "user": stronger.id, "session": session });
                let answer = limited.ask(row.document, variables.clone()).await;
                assert_eq!(answer.code(), "FORBIDDEN", "{} until {beyond}", row.field);
                assert_eq!(state(&administrator, &stronger.id).await, before, "{}", row.field);
                administrator.ask(row.document, variables).await.data();
            }
            let equal = invited(&administrator, &[]).await;
            assign(&administrator, &equal.id, Role::Responder, &end).await;
            linked(&app, &equal.id).await;
            let variables = json!({ "user": equal.id, "session": begun(&app, &equal.id).await });
            limited.ask(row.document, variables).await.data();
        }
    }

    async fn invitation_gives_no_more_than_the_inviter_holds(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let end = json!(app.in_seconds(3600));
        let limited = invited(&administrator, &[]).await;
        assign(&administrator, &limited.id, Role::Administrator, &end).await;
        let limited = signed_in(&app, limited.user()).await;
        let guest = invited(&limited, &[Role::Administrator]).await;
        let held = state(&administrator, &guest.id).await["roleAssignments"].clone();
        assert_eq!(held, json!([{ "roleID": Role::Administrator.id(), "expiresAt": end }]));
        let elsewhere = "mutation($id: ID!, $role: UserRoleAssignmentInput!) {
            assignUserRole(id: $id, role: $role) { id } }";
        let grant = |tenant: Value| {
            let role = json!({ "roleID": Role::Auditor.id(), "tenantID": tenant });
            json!({ "id": guest.id, "role": role })
        };
        let foreign = limited.ask(elsewhere, grant(json!(app.world.south))).await;
        let unknown = "00000000-0000-4000-8000-000000000000";
        let unknown = limited.ask(elsewhere, grant(json!(unknown))).await;
        assert_eq!(foreign.code(), "FORBIDDEN");
        assert_eq!(foreign.learnt(), unknown.learnt());
    }

    async fn address_in_another_tenant_is_no_secret_that_an_invitation_tells(app: TestApp) {
        let known = invited_by_operator(&app, app.world.south, &[]).await;
        let north = app.administrator(app.world.north).await;
        let document = "mutation($email: String!) {
            inviteUser(input: { email: $email, name: \"Ada\" }) { user { tenantID } } }";
        let made = north.ask(document, json!({ "email": known.email })).await;
        let made = made.field("inviteUser");
        assert_eq!(made["user"]["tenantID"], json!(app.world.north));
        let again = north.ask(document, json!({ "email": known.email.to_uppercase() })).await;
        assert_eq!(again.code(), "CONFLICT");
    }

    async fn user_is_found_by_node_within_the_own_tenant_alone(app: TestApp) {
        let own = invited_by_operator(&app, app.world.north, &[]).await;
        let foreign = invited_by_operator(&app, app.world.south, &[]).await;
        let north = app.administrator(app.world.north).await;
        let document = "query($id: ID!) { node(id: $id) { __typename id } }";
        let find = async |id: &str| north.ask(document, json!({ "id": id })).await;
        let found = find(&own.id).await.field("node");
        assert_eq!(found, json!({ "__typename": "User", "id": own.id }));
        let unknown = find("00000000-0000-4000-8000-000000000000").await;
        assert_eq!(find(&foreign.id).await.learnt(), unknown.learnt());
    }

    async fn one_address_is_taken_once_by_many_at_once(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let document = "mutation { inviteUser(input: { email: \"ada@example.com\", name: \"Ada\" })
            { user { id } } }";
        let tried = tokio::join!(
            north.ask(document, json!({})),
            north.ask(document, json!({})),
            north.ask(document, json!({}))
        );
        let tried = [tried.0, tried.1, tried.2];
        let (made, refused): (Vec<_>, Vec<_>) =
            tried.iter().partition(|answer| answer.body.get("errors").is_none());
        assert_eq!((made.len(), refused.len()), (1, 2));
        assert!(refused.iter().all(|answer| answer.code() == "CONFLICT"));
    }

    async fn users_are_listed_in_pages_of_the_own_tenant_alone(app: TestApp) {
        invited_by_operator(&app, app.world.south, &[]).await;
        let north = app.administrator(app.world.north).await;
        let mut expected = Vec::new();
        for _ in 0..3 {
            expected.push(invited(&north, &[]).await.email);
        }
        expected.sort_unstable();
        let document = "query($after: String) { users(first: 2, after: $after) {
            totalCount nodes { email } pageInfo { endCursor hasNextPage } } }";
        let first = north.ask(document, json!({})).await.field("users");
        assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
        let after = json!({ "after": first["pageInfo"]["endCursor"] });
        let second = north.ask(document, after).await.field("users");
        assert_eq!(second["pageInfo"]["hasNextPage"], false);
        let pages = [&first, &second];
        let nodes = pages.iter().flat_map(|page| page["nodes"].as_array().unwrap());
        let emails: Vec<&str> = nodes.map(|node| node["email"].as_str().unwrap()).collect();
        assert_eq!(emails, expected);
    }
}
