use reqwest::header::WWW_AUTHENTICATE;
use tenant_gateway_simulators::integration_server::Dialect;

use crate::support::*;

/// Every method, with a tenant, a task and a report that do not exist.
const METHODS: [(&str, &str); 14] = [
    ("GET", "/tenants/x"),
    ("GET", "/tenants"),
    ("GET", "/tenants/x/vms"),
    ("POST", "/tenants"),
    ("POST", "/tenants/x/activate"),
    ("POST", "/tenants/x/deactivate"),
    ("POST", "/tenants/x/vms/register"),
    ("POST", "/tenants/x/vms/unregister?vmId=y"),
    ("DELETE", "/tenants/x?removeTenantArtifacts=true"),
    ("GET", "/tasks/x"),
    ("GET", "/tasks"),
    ("POST", "/tasks/x/cancel"),
    ("POST", "/reports/tenants"),
    ("GET", "/reports/tenants/x"),
];

#[tokio::test]
async fn every_method_refuses_strangers_first() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    for (method, path) in METHODS {
        let bare = client.bare(method, path).send().await.unwrap();
        assert_eq!(bare.status(), 403, "{method} {path}");
        for (account, password) in [("multitenancy", "wrong"), ("admin", &simulator.password())] {
            let wrong =
                client.bare(method, path).basic_auth(account, Some(password)).send().await.unwrap();
            assert_eq!(wrong.status(), 403, "{method} {path}");
        }
    }
    assert!(simulator.found_tasks().is_empty());
}

#[tokio::test]
async fn another_reading_refuses_with_a_challenge() {
    let simulator = start(config().dialect(Dialect::DOTNET)).await;
    let client = Client::new(&simulator);
    let refused = client.bare("GET", "/tenants").send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers()[WWW_AUTHENTICATE].to_str().unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn password_may_hold_colons_and_can_change() {
    let simulator = start(config().password("a:b:\"c\"")).await;
    let client = Client::new(&simulator);
    assert_eq!(client.get("/tenants").await.0, 200);
    simulator.set_password("another");
    assert_eq!(client.get("/tenants").await.0, 403);
    assert_eq!(Client::new(&simulator).get("/tenants").await.0, 200);
}

#[tokio::test]
async fn unknown_method_is_not_found() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    for (method, path) in
        [("GET", "/"), ("PUT", "/tenants"), ("GET", "/reports/tenants"), ("POST", "/tenants/x/vms")]
    {
        assert_eq!(client.call(method, path, "").await.0, 404, "{method} {path}");
    }
}
