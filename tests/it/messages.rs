//! Messages that a new user meets in the first hour: each says what is wrong and how to fix it.

use reqwest::Method;
use serde_json::{Value, json};
use tenant_gateway::config::Introspection;

use crate::support::process::Deployment;
use crate::support::{Caller, Engine, OnEngine, TestApp, both_databases};

async fn raw(caller: &Caller, body: &str) -> Value {
    let request = caller.gateway.http.post(format!("{}/graphql", caller.gateway.url));
    let request = request.bearer_auth(&caller.token).header("content-type", "application/json");
    request.body(body.to_owned()).send().await.unwrap().json().await.unwrap()
}

fn first_message(body: &Value) -> String {
    body["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
}

async fn message_of(caller: &Caller, document: &str, variables: Value) -> String {
    first_message(&caller.ask(document, variables).await.body)
}

const REGISTER: &str =
    "mutation($input: RegisterUpstreamInput!) { createUpstream(input: $input) { id } }";

fn manager(base_url: &str, secret_key: &str) -> Value {
    json!({ "input": {
        "name": "manager", "system": "DEEP_SECURITY", "baseURL": base_url,
        "credential": { "secretKey": secret_key },
    } })
}

both_databases! {
    async fn trailing_comma_is_told_with_line_and_column(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let told = first_message(&raw(&caller, "{\"query\":\n\"{ __typename }\",}").await);
        assert!(told.starts_with("the body is not valid JSON: trailing comma"), "{told}");
        assert!(told.contains("line 2, column 18"), "{told}");
    }

    async fn tenant_name_in_the_header_says_that_a_uuid_is_wanted(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let told = message_of(&caller.within("Contoso Retail"), "{ __typename }", json!({})).await;
        assert!(told.contains("UUID"), "{told}");
    }

    async fn mutation_by_get_says_post(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let document = "mutation { createTenant(newTenant: { name: \"x\" }) { id } }";
        let mut url = reqwest::Url::parse(&app.url).unwrap().join("/graphql").unwrap();
        url.query_pairs_mut().append_pair("query", document);
        let request = app.http.request(Method::GET, url).bearer_auth(&caller.token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405);
        let told = first_message(&answer.json().await.unwrap());
        assert!(told.contains("POST"), "{told}");
    }

    async fn wrong_path_names_the_right_one_or_the_setting(app: TestApp) {
        for (path, named) in [
            ("/api/graphql", "/graphql"),
            ("/graphql/", "/graphql"),
            ("/", "/graphql"),
            ("/playground", "playground.enabled"),
            ("/oauth/token", "/oauth2/token"),
            ("/oauth2/token/", "/oauth2/token"),
            ("/health", "/health/ready"),
            ("/metrics", "admin.listen"),
            ("/anything", "/graphql"),
        ] {
            let answer = app.http.get(format!("{}{path}", app.url)).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            let body: Value = answer.json().await.unwrap();
            let told = body["message"].as_str().unwrap();
            assert!(told.contains(named) && told != named, "{path}: {told}");
        }
    }

    async fn syntax_error_is_told_in_the_words_of_graphql_js(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let told = message_of(&caller, "{ currentSubject { id", json!({})).await;
        assert_eq!(told, "Syntax Error: Expected \"}\", found <EOF>.");
        for document in ["{ a(b: 1 ", "{ }", "query (", "{ a @ }", "fragment on on T { a }"] {
            let told = message_of(&caller, document, json!({})).await;
            assert!(told.starts_with("Syntax Error: ") && told.ends_with('.'), "{document}: {told}");
            for name in ["syntax error:", "R_CURLY", "R_PAREN", "R_BRACK"] {
                assert!(!told.contains(name), "{document}: {told}");
            }
        }
    }

    async fn request_without_a_token_is_told_how_to_send_one(app: TestApp) {
        for authorization in [None, Some("Basic eDp5")] {
            let mut request = app.http.post(format!("{}/graphql", app.url));
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let body = json!({ "query": "{ __typename }" });
            let answer = request.json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 401);
            let told = first_message(&answer.json().await.unwrap());
            assert!(told.contains("`Authorization: Bearer TOKEN`"), "{told}");
        }
    }

    async fn misspelled_name_is_refused_with_a_suggestion(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        for (document, variables, near) in [
            ("{ tenantz { totalCount } }", json!({}), "\"tenants\""),
            ("{ tenants(tenantQuery: {}) { totalCount } }", json!({}), "\"tenantsQuery\""),
            (
                "{ tenants(tenantsQuery: { isOrganisation: true }) { totalCount } }",
                json!({}),
                "\"isOrganization\"",
            ),
            (
                "query($q: TenantQuery) { tenants(tenantsQuery: $q) { totalCount } }",
                json!({}),
                "\"TenantsQuery\"",
            ),
            (
                "query($q: TenantsQuery) { tenants(tenantsQuery: $q) { totalCount } }",
                json!({ "q": { "isOrganisation": true } }),
                "\"isOrganization\"",
            ),
            (
                "mutation { testLink(tenantID: \"1\", system: DEEPSECURITY) { reachable } }",
                json!({}),
                "the enum value \"DEEP_SECURITY\"",
            ),
        ] {
            let told = message_of(&caller, document, variables).await;
            assert!(told.contains(" Did you mean ") && told.contains(near), "{document}: {told}");
        }
    }

    async fn nothing_is_suggested_where_introspection_is_off(engine: Engine) {
        let app =
            TestApp::with(engine, |config| config.graphql.introspection = Introspection::Off).await;
        let caller = app.administrator(app.world.partner).await;
        for (document, variables) in [
            ("{ tenantz { totalCount } }", json!({})),
            ("{ tenants(tenantsQuery: { isOrganisation: true }) { totalCount } }", json!({})),
            (
                "query($q: TenantsQuery) { tenants(tenantsQuery: $q) { totalCount } }",
                json!({ "q": { "isOrganisation": true } }),
            ),
        ] {
            let told = message_of(&caller, document, variables).await;
            assert!(!told.is_empty() && !told.contains("Did you mean"), "{document}: {told}");
        }
    }

    async fn refused_address_names_the_setting_that_allows_it(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        for url in
            ["http://127.0.0.1:4119/api", "https://127.0.0.1:4119/api", "https://10.1.2.3/api"]
        {
            let told = message_of(&caller, REGISTER, manager(url, "1:key")).await;
            assert!(
                told.starts_with("baseURL:") && told.contains("upstream.allow_private_addresses"),
                "{told}"
            );
        }
        // No setting permits it.
        let told =
            message_of(&caller, REGISTER, manager("https://169.254.169.254/api", "1:key")).await;
        assert!(told.starts_with("baseURL:") && !told.contains("upstream."), "{told}");
    }

    async fn key_with_spaces_says_so(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        let url = "https://dsm.example.com:4119/api";
        for (key, problem) in [
            ("1:secret ", "begin or end with spaces"),
            ("1:one two", "must not contain spaces"),
            ("1:schlüssel", "ASCII"),
            ("", "1 to 4096"),
        ] {
            let told = message_of(&caller, REGISTER, manager(url, key)).await;
            assert!(told.starts_with("secretKey:") && told.contains(problem), "{key}: {told}");
            assert!(key.is_empty() || !told.contains(key), "{told}");
        }
    }
}

both_databases! {
    async fn credential_of_another_system_names_those_accepted(app: TestApp) {
        let caller = app.administrator(app.world.partner).await;
        for (system, credential, accepted) in [
            ("DEEP_SECURITY", json!({ "basic": { "password": "not-used-anywhere" } }), "`secretKey`"),
            ("INTEGRATION_SERVER", json!({ "secretKey": "1:not-used-anywhere" }), "`basic`"),
        ] {
            let input = json!({ "input": {
                "name": "other", "system": system, "baseURL": "https://console.example.com/api",
                "credential": credential,
            } });
            let told = message_of(&caller, REGISTER, input).await;
            assert!(told.contains(system) && told.contains(accepted), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_helps_a_newcomer_on() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let help = deployment.run(&["help", "client"]);
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("rotate"));
    for (setting, wanted) in [
        ("server.listen=8080", "must be an address with a port, such as 127.0.0.1:8080"),
        ("upstream.allow_private_addresses=yes", "must be true or false"),
        ("server.body_limit=much", "must be a whole number"),
    ] {
        let told = stderr(&deployment.run(&["config", "check", "--set", setting]));
        assert!(told.contains(wanted), "{setting}: {told}");
    }
    deployment.init();
    let told = stderr(&deployment.run(&["client", "create", "--name", "x", "--role", "Admin"]));
    assert!(told.contains("TenantAdministrator, TenantAnalyst"), "{told}");
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

both_databases! {
    async fn variable_with_single_underscores_is_named(deployment: Deployment) {
        for command in [&["config", "check"][..], &["serve"]] {
            let mut command = deployment.command(command);
            let output =
                command.env("TENANT_GATEWAY_SERVER_LISTEN", "127.0.0.1:0").output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let told = stderr(&output);
            assert!(told.contains("TENANT_GATEWAY_SERVER_LISTEN"), "{told}");
            assert!(told.contains("TENANT_GATEWAY__SERVER__LISTEN"), "{told}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_an_empty_database_says_how_to_make_the_first_tenant() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let process = deployment.serve().await;
    let records = process.records();
    let told = |record: &&Value| {
        record["message"].as_str().is_some_and(|text| text.contains("`tenant-gateway init`"))
    };
    assert!(records.iter().any(|record| told(&record)), "{records:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn second_gateway_on_one_folder_says_what_to_do() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let _first = deployment.serve().await;
    let second = deployment.run(&["serve"]);
    assert_eq!(second.status.code(), Some(1));
    let told = stderr(&second);
    assert!(
        told.contains("another gateway is serving from") && told.contains("PostgreSQL"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_listener_says_that_it_is_one_at_a_path_of_the_other() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let variables = [("TENANT_GATEWAY__ADMIN__LISTEN", "127.0.0.1:0")];
    let process = deployment.serve_with(&variables).await;
    let records = process.records();
    let address = records.iter().find_map(|record| record["admin"].as_str()).unwrap();
    for path in ["/graphql", "/oauth2/token", "/playground", "/"] {
        let answer = reqwest::get(format!("http://{address}{path}")).await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        let body: Value = answer.json().await.unwrap();
        let told = body["message"].as_str().unwrap();
        assert!(told.contains("admin listener") && told.contains("server.listen"), "{told}");
    }
}

#[tokio::test]
async fn address_in_use_is_told_with_the_setting_that_changes_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    for setting in ["server.listen", "admin.listen"] {
        let mut command = deployment.command(&["serve", "--set", &format!("{setting}={address}")]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = stderr(&output);
        assert!(told.contains(&address) && told.contains("another program"), "{told}");
        assert!(told.contains(&format!("with {setting}")), "{told}");
    }
}
