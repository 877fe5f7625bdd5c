//! Commands that act directly on the database.

use std::collections::BTreeSet;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, both_databases, notes};

fn json_of(deployment: &Deployment, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    let output = deployment.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn failure_of(deployment: &Deployment, arguments: &[&str]) -> String {
    let output = deployment.run(arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let stderr = String::from_utf8_lossy(&output.stderr);
    stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default().to_owned()
}

both_databases! {
    async fn tenants_are_created_listed_and_closed_at_the_command_line(deployment: Deployment) {
        deployment.init();
        let created =
            json_of(&deployment, &["tenant", "create", "--name", "Contoso", "--organization"]);
        assert_eq!(created["kind"], "organization");
        let organization = created["id"].as_str().unwrap();
        let site = &["tenant", "create", "--name", "Contoso Paris", "--parent", organization];
        let site = json_of(&deployment, site);
        assert_eq!((&site["parentID"], &site["kind"]), (&created["id"], &json!("tenant")));

        let found = json_of(&deployment, &["tenant", "list", "--name", "contoso%"]);
        let names: Vec<_> = found.as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["Contoso", "Contoso Paris"]);
        let below = json_of(&deployment, &["tenant", "list", "--tenant", organization]);
        assert_eq!(below.as_array().unwrap().len(), 2);

        let closed = json_of(&deployment, &["tenant", "disable", organization]);
        assert_eq!(closed["enabled"], false);
        assert_eq!(json_of(&deployment, &["tenant", "enable", organization])["enabled"], true);
    }

    async fn client_list_has_each_client_of_several_pages_once(deployment: Deployment) {
        deployment.init();
        let uuid = match deployment.database.engine {
            Engine::Sqlite => "randomblob(16)",
            Engine::Postgres => "gen_random_uuid()",
        };
        // Three have each name, so that pages end between clients of the same name.
        let fill = format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299)
            INSERT INTO clients (id, client_id, tenant_id, name, name_folded, enabled,
                token_generation, token_request_count, created_at, updated_at, created_by,
                updated_by)
            SELECT {uuid}, 'c' || i, tenants.id, 'bulk ' || (1000 + i / 3),
                'bulk ' || (1000 + i / 3), TRUE, 0, 0, 0, 0, 'x', 'x' FROM n CROSS JOIN tenants"
        );
        let database = deployment.database.config();
        let url = database.database_url().expose().to_owned();
        let connection = sea_orm::Database::connect(url).await.unwrap();
        connection.execute_unprepared(&fill).await.unwrap();
        connection.close().await.unwrap();

        for arguments in [&["client", "list"][..], &["client", "list", "--name", "bulk%"]] {
            let listed = json_of(&deployment, arguments);
            let field = |name: &str| {
                let rows = listed.as_array().unwrap().iter();
                let all = rows.map(|client| client[name].as_str().unwrap().to_owned());
                all.filter(|text| !text.contains("admin")).collect::<Vec<_>>()
            };
            let names: Vec<_> = field("name");
            assert!(names.is_sorted(), "{names:?}");
            let bulk = field("clientID").into_iter().filter(|id| id.len() <= 4);
            assert_eq!(bulk.collect::<BTreeSet<_>>().len(), 300);
            let bulk = names.iter().filter(|name| name.starts_with("bulk "));
            assert_eq!(bulk.count(), 300);
        }
    }

    async fn tenants_outside_the_scope_are_unknown_at_the_command_line(deployment: Deployment) {
        deployment.init();
        let [one, other] = ["One", "Other"].map(|name| {
            json_of(&deployment, &["tenant", "create", "--name", name])["id"]
                .as_str()
                .unwrap()
                .to_owned()
        });
        let foreign = failure_of(&deployment, &["tenant", "disable", &other, "--tenant", &one]);
        let unknown = "00000000-0000-4000-8000-000000000000";
        let unknown = failure_of(&deployment, &["tenant", "disable", unknown, "--tenant", &one]);
        assert_eq!(foreign, unknown);
        assert!(foreign.contains("tenant"), "{foreign}");
    }
}

#[tokio::test]
async fn tenant_is_not_made_a_partner_and_an_organization_at_once() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    let both = deployment.run(&["tenant", "create", "--name", "x", "--partner", "--organization"]);
    assert_eq!((both.status.code(), both.stdout.len()), (Some(2), 0));
    let told = String::from_utf8_lossy(&both.stderr).into_owned();
    assert!(told.contains("--partner") && told.contains("--organization"), "{told}");
    assert_eq!(json_of(&deployment, &["tenant", "list"]).as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn name_in_place_of_a_tenants_id_is_told_with_its_option() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    for (arguments, option) in [
        (&["tenant", "create", "--name", "x", "--parent", "Contoso"][..], "--parent:"),
        (&["tenant", "list", "--tenant", "Contoso"], "--tenant:"),
        (&["client", "list", "--tenant", "Contoso"], "--tenant:"),
        (&["tenant", "disable", "Contoso"], "ID:"),
    ] {
        let told = failure_of(&deployment, arguments);
        assert!(told.contains(option) && told.contains("UUID"), "{told}");
        assert!(told.contains("tenant-gateway tenant list"), "{told}");
    }
}

#[tokio::test]
async fn grace_period_beyond_the_limit_names_limit_and_setting() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    let seconds = &["--grace-period-seconds", "99999999"][..];
    let told = failure_of(
        &deployment,
        &[&["client", "rotate", &administrator.client_id][..], seconds].concat(),
    );
    assert!(told.contains("604800") && told.contains("clients.grace_period_max"), "{told}");
}

#[tokio::test]
async fn first_tenant_is_printed_with_the_command_that_serves_it() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let made = deployment.run(&["init"]);
    let shown = String::from_utf8_lossy(&made.stdout).into_owned();
    let secret = shown.split_whitespace().find(|word| word.starts_with("tgw_"));
    notes::note(secret.expect("a secret"));
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(told.contains("`tenant-gateway serve`"), "{told}");
    assert_eq!(shown.lines().count(), 3, "{shown}");
}

#[tokio::test]
async fn question_to_a_gateway_that_does_not_run_says_so() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    // Bound, so that no other process listens there, and refusing since nothing listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    for command in ["health", "reload"] {
        let told = failure_of(&deployment, &[command, "--address", &address]);
        assert!(told.contains(&address) && told.contains("is the gateway running"), "{told}");
    }
}

#[tokio::test]
async fn tenant_list_continues_after_first_page() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    let process = deployment.serve().await;
    let administrator = process.log_in(administrator).await;
    for number in 0..105 {
        let create = "mutation($new: TenantCreateInput!) { createTenant(newTenant: $new) { id } }";
        let new = json!({ "new": { "name": format!("Customer {number}") } });
        administrator.ask(create, new).await.data();
    }
    let listed = json_of(&deployment, &["tenant", "list", "--name", "customer%"]);
    let ids = listed.as_array().unwrap().iter().map(|one| one["id"].to_string());
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), 105);
}

#[tokio::test]
async fn commands_on_an_empty_folder_create_nothing_and_name_the_command_that_does() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    for command in [
        &["client", "list"][..],
        &["client", "create", "--name", "robot"],
        &["tenant", "list"],
        &["user", "list"],
        &["audit", "export"],
        &["migrate", "status"],
        &["keys", "rotate"],
        &["backup", "copy.db"],
    ] {
        let told = failure_of(&deployment, command);
        assert!(told.contains("`tenant-gateway init`"), "{command:?}: {told}");
        let files = std::fs::read_dir(deployment.database.folder.path()).unwrap();
        assert_eq!(files.count(), 0, "{command:?}");
    }
}

#[tokio::test]
async fn config_check_lists_each_problem_with_source_and_setting_as_json() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    assert_eq!(
        json_of(&deployment, &["config", "check"]),
        json!({ "valid": true, "problems": [] })
    );
    let secret = "not-a-key-but-a-secret-text";
    notes::note(secret);
    let mut command = deployment.command(&["config", "check", "--output", "json"]);
    command.env("TENANT_GATEWAY__SEAL__MASTER_KEY", secret).args(["--set", "tokens.lifetime=1x"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["valid"], false);
    let problems = told["problems"].as_array().unwrap();
    let places: BTreeSet<_> = problems
        .iter()
        .map(|one| (one["source"].to_string(), one["setting"].to_string()))
        .collect();
    let place =
        |source: &str, setting: &str| (json!(source).to_string(), json!(setting).to_string());
    assert_eq!(
        places,
        BTreeSet::from([
            place("TENANT_GATEWAY__SEAL__MASTER_KEY", "seal.master_key"),
            place("command line", "tokens.lifetime"),
        ])
    );
    assert!(problems.iter().all(|one| !one["message"].as_str().unwrap().is_empty()));
    let all = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&all).contains(secret));
}
