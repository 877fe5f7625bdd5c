//! GraphQL with the session's cookie: only together with the token, from the gateway's own pages.

use serde_json::{Value, json};
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;
use tenant_gateway::tokens::Narrowing;

use crate::support::browser::enrol;
use crate::support::{Answer, TestApp, both_databases};
use crate::users::signed_in_narrowed;

const WHO: &str = "{ currentSubject { id } }";

both_databases! {
    async fn session_answers_with_the_rights_of_its_person(app: TestApp) {
        let (ana, browser) =
            enrol(&app, app.world.organization, Role::Auditor, "ana@org.example").await;
        let who = browser.graphql_as_page(WHO).await.field("currentSubject");
        assert_eq!(who["id"], json!(ana.id));
        let csrf = browser.csrf().await;
        for (tenant, status) in [
            (app.world.organization, 200),
            (app.world.north, 200),
            (app.world.partner, 403),
            (app.world.stranger, 403),
        ] {
            let request = browser.graphql(WHO).header("x-csrf-token", &csrf);
            let request = request.header("origin", &app.url);
            let request = request.header("x-tenant-context", tenant.to_string());
            assert_eq!(app.send(request).await.status, status, "{tenant}");
        }
        let denied = browser.graphql_as_page("mutation { createClient(name: \"x\") { clientSecret } }");
        assert_eq!(denied.await.code(), "FORBIDDEN");
    }

    async fn cookie_alone_and_foreign_pages_get_nothing(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Administrator, "ana@north.example").await;
        let csrf = browser.csrf().await;
        let own = app.url.clone();
        let plain = || browser.graphql(WHO);
        let with = |token: &str, origin: &str| {
            plain().header("x-csrf-token", token).header("origin", origin)
        };
        for (what, request, code) in [
            ("no token", plain().header("origin", &own), "UNAUTHENTICATED"),
            ("no token, no origin", plain(), "UNAUTHENTICATED"),
            ("no origin", plain().header("x-csrf-token", &csrf), "FORBIDDEN"),
            ("a foreign page", with(&csrf, "https://evil.example"), "FORBIDDEN"),
            ("a sandboxed page", with(&csrf, "null"), "FORBIDDEN"),
            ("a wrong token", with("AAAA", &own), "FORBIDDEN"),
            ("an empty token", with("", &own), "FORBIDDEN"),
            (
                "a neighbouring site",
                with(&csrf, &own).header("sec-fetch-site", "same-site"),
                "FORBIDDEN",
            ),
        ] {
            let answer = app.send(request).await;
            assert_eq!(answer.code(), code, "{what}");
            assert!(answer.body.get("data").is_none(), "{what}");
        }
        assert_eq!(app.send(with(&csrf, &own)).await.status, 200);
        let other = enrol(&app, app.world.south, Role::Auditor, "eve@south.example").await.1;
        let stolen = other.csrf().await;
        assert_eq!(app.send(with(&stolen, &own)).await.code(), "FORBIDDEN", "another session's");
    }

    async fn event_stream_needs_the_token_and_ends_with_the_session(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let events = |csrf: Option<String>| {
            let request = browser.graphql(WHO).header("origin", &app.url);
            let request = request.header("accept", "text/event-stream");
            match csrf {
                Some(csrf) => request.header("x-csrf-token", csrf),
                None => request,
            }
        };
        let refused = events(None).send().await.unwrap();
        assert_eq!(refused.status(), 401);
        let served = events(Some(browser.csrf().await)).send().await.unwrap();
        assert_eq!(served.status(), 200);
        let text = served.text().await.unwrap();
        assert!(text.contains("event: next") && text.contains("currentSubject"), "{text}");
    }

    async fn session_that_was_ended_opens_nothing(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let list = browser.graphql_as_page("{ sessions { id } }").await.field("sessions");
        let id = list[0]["id"].as_str().unwrap().to_owned();
        let unknown = format!("mutation {{ endSession(id: \"{}\") {{ id }} }}", ana.id);
        assert_eq!(browser.graphql_as_page(&unknown).await.code(), "NOT_FOUND");
        let csrf = browser.csrf().await;
        let end = format!("mutation {{ endSession(id: \"{id}\") {{ id }} }}");
        let ended = browser.graphql_as_page(&end).await.field("endSession");
        assert_eq!(ended, json!({ "id": id }));
        let request = browser.graphql(WHO).header("origin", &app.url);
        let answer = app.send(request.header("x-csrf-token", csrf)).await;
        assert_eq!(answer.code(), "UNAUTHENTICATED");
        let administrator = app.administrator(app.world.north).await;
        assert_eq!(recorded(&administrator.ask(LOG, json!({})).await), [json!(ana.id)]);
    }

    async fn disabled_person_is_signed_out_at_once(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let administrator = app.administrator(app.world.north).await;
        let disable = "mutation($id: ID!) { disableUser(id: $id) { id } }";
        administrator.ask(disable, json!({ "id": ana.id })).await.data();
        assert_eq!(browser.session().await["signedIn"], json!(false));
    }

    async fn administrator_lists_and_ends_sessions_of_own_people(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let (eve, _) = enrol(&app, app.world.south, Role::Auditor, "eve@south.example").await;
        let administrator = app.administrator(app.world.north).await;
        let list = "query($user: ID!) { userSessions(userID: $user) { id isActive } }";
        let sessions = administrator.ask(list, json!({ "user": ana.id })).await.field("userSessions");
        assert_eq!(sessions.as_array().unwrap().len(), 1);
        let end = "mutation($user: ID!, $session: ID!) {
            endUserSession(userID: $user, sessionID: $session) { id } }";
        let session = &sessions[0]["id"];
        for (user, session) in [(&*eve.id, session), (&*ana.id, &json!(ana.id))] {
            let variables = json!({ "user": user, "session": session });
            assert_eq!(administrator.ask(end, variables).await.code(), "NOT_FOUND", "{user}");
        }
        let stranger = app.administrator(app.world.stranger).await;
        let variables = json!({ "user": ana.id, "session": session });
        assert_eq!(stranger.ask(end, variables.clone()).await.code(), "NOT_FOUND");
        assert_eq!(browser.session().await["signedIn"], json!(true), "nothing has happened");
        administrator.ask(end, variables.clone()).await.data();
        assert_eq!(browser.session().await["signedIn"], json!(false));
        assert_eq!(administrator.ask(end, variables).await.code(), "NOT_FOUND", "it has ended");
    }

    async fn weaker_administrator_does_not_end_sessions_of_a_stronger_person(app: TestApp) {
        let (ana, browser) =
            enrol(&app, app.world.north, Role::Administrator, "ana@north.example").await;
        let analyst = app.caller(app.world.north, Role::Analyst).await;
        let session = app.administrator(app.world.north).await;
        let list = "query($user: ID!) { userSessions(userID: $user) { id } }";
        let sessions = session.ask(list, json!({ "user": ana.id })).await.field("userSessions");
        let end = "mutation($user: ID!, $session: ID!) {
            endUserSession(userID: $user, sessionID: $session) { id } }";
        let variables = json!({ "user": ana.id, "session": sessions[0]["id"] });
        assert_eq!(analyst.ask(end, variables).await.code(), "FORBIDDEN");
        assert_eq!(browser.session().await["signedIn"], json!(true));
    }

    async fn narrowed_token_reaches_sessions_only_with_the_right_to_users_at_home(app: TestApp) {
        let home = app.world.organization;
        let (ana, browser) = enrol(&app, home, Role::Administrator, "ana@org.example").await;
        let user = ana.id.parse().unwrap();
        let list = "{ sessions { id } }";
        let own = browser.graphql_as_page(list).await.field("sessions")[0]["id"].clone();
        let end = format!("mutation {{ endSession(id: {own}) {{ id }} }}");
        let narrow = async |tenant: Option<TenantId>, scope: &str| {
            let narrowing = Narrowing { tenant, scope: scope.to_owned() };
            signed_in_narrowed(&app, user, narrowing).await
        };
        let below = narrow(Some(app.world.north), "graphql").await;
        let clients = narrow(None, "clients:read clients:manage").await;
        for caller in [&below, &clients] {
            assert_eq!(caller.ask(list, json!({})).await.code(), "FORBIDDEN");
            assert_eq!(caller.ask(&end, json!({})).await.code(), "FORBIDDEN");
        }
        let reader = narrow(None, "users:read").await;
        assert_eq!(reader.ask(list, json!({})).await.field("sessions"), json!([{ "id": own }]));
        // Ana may do more than this token.
        let manager = narrow(None, "users:read users:manage").await;
        for caller in [&reader, &manager] {
            assert_eq!(caller.ask(&end, json!({})).await.code(), "FORBIDDEN");
        }
        assert_eq!(browser.session().await["signedIn"], json!(true), "nothing has happened");
        let at_home = narrow(Some(home), "graphql").await;
        assert_eq!(at_home.ask(&end, json!({})).await.field("endSession"), json!({ "id": own }));
        assert_eq!(browser.session().await["signedIn"], json!(false));
    }

    async fn client_has_no_sessions(app: TestApp) {
        let client = app.administrator(app.world.north).await;
        assert_eq!(client.ask("{ sessions { id } }", json!({})).await.code(), "FORBIDDEN");
    }
}

const LOG: &str = "{ auditLog(operation: \"endSession\", outcome: SUCCEEDED) { nodes { actor } } }";

fn recorded(log: &Answer) -> Vec<Value> {
    let nodes = log.body["data"]["auditLog"]["nodes"].as_array().expect("records");
    nodes.iter().map(|node| node["actor"].clone()).collect()
}
