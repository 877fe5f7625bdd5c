use tenant_gateway_simulators::integration_server::{Dialect, Fate, TaskKind, TenantKind};

use crate::support::*;

/// A Complete tenant with that name, administrator and Base64 password.
fn complete(name: &str, administrator: &str, password: &str) -> String {
    format!(
        "<tenant><name>{name}</name><type>Complete</type>\
         <vKsc><user><name>{administrator}</name><password>{password}</password></user></vKsc></tenant>"
    )
}

/// The documented code of an immediate refusal.
async fn refusal(body: &str) -> (u16, String) {
    let simulator = simulator().await;
    let (status, error) = Client::new(&simulator).post("/tenants", body).await;
    assert!(simulator.found_tasks().is_empty());
    (status, if has(&error, "code") { text(&error, "code") } else { String::new() })
}

/// Runs a creation that fails; expects everything rolled back and returns how its task ended.
async fn failure(body: &str, center: bool) -> String {
    let simulator = simulator().await;
    simulator.set_security_center(center);
    let before = (simulator.found_tenants(), simulator.folders(), simulator.administrators());
    let (state, error) =
        Client::new(&simulator).outcome(&simulator, "POST", "/tenants", body).await;
    assert_eq!(state, "Failed");
    assert_eq!(
        (simulator.found_tenants(), simulator.folders(), simulator.administrators()),
        before
    );
    error.split(':').next().unwrap().to_owned()
}

#[tokio::test]
async fn complete_tenant_is_created_with_its_infrastructure() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let task = client.start("POST", "/tenants", COMPLETE).await;
    simulator.advance(LONG);
    let task = client.read(&format!("/tasks/{task}")).await;
    assert_eq!(
        (text(&task, "state"), text(&task, "type")),
        ("Completed".to_owned(), "CreateTenant".to_owned())
    );
    let id = with(&task, |root| {
        root.descendants()
            .find(|node| node.has_tag_name("tenant"))
            .unwrap()
            .attribute("id")
            .unwrap()
            .to_owned()
    });

    let tenant = client.read(&format!("/tenants/{id}")).await;
    assert_eq!(text(&tenant, "name"), "Northwind & Söhne");
    assert_eq!(
        (text(&tenant, "status"), text(&tenant, "vKsc").trim().to_owned()),
        ("Inactive".to_owned(), "northwind-admin".to_owned())
    );
    assert!(!tenant.contains("192.0.2.9") && !tenant.contains("password"));

    let found = simulator.found_tenant("Northwind & Söhne").unwrap();
    assert_eq!((found.id, found.kind, found.active), (id, TenantKind::Complete, false));
    assert_eq!(
        (found.user_data.as_deref(), found.preferred_address.as_deref()),
        (Some("crm=42"), Some("192.0.2.9"))
    );
    assert_eq!(simulator.administrator_passwords(), ["Good-Pass1"]);
    assert!(simulator.folders().contains(&"Northwind & Söhne".to_owned()));
    assert!(simulator.administrators().contains(&"northwind-admin".to_owned()));
}

#[tokio::test]
async fn simple_tenant_has_no_infrastructure() {
    let simulator = simulator().await;
    simulator.set_security_center(false);
    let (state, _) = Client::new(&simulator).outcome(&simulator, "POST", "/tenants", SIMPLE).await;
    assert_eq!(state, "Completed");
    let found = simulator.found_tenant("Labs").unwrap();
    assert_eq!((found.kind, found.administrator), (TenantKind::Simple, None));
    assert_eq!(simulator.folders(), ["Contoso Retail"]);
}

#[tokio::test]
async fn bad_input_is_refused_at_once_by_name() {
    let missing = (400, "VIRMT_MandatoryParameterIsNotSpecified".to_owned());
    assert_eq!(refusal("<tenant><type>Simple</type></tenant>").await, missing);
    assert_eq!(refusal("<tenant><name/><type>Simple</type></tenant>").await, missing);
    let kind = refusal("<tenant><name>x</name><type>Half</type></tenant>").await;
    assert_eq!(kind, (400, "VIRMT_InvalidTenantType".to_owned()));
    let address = "<tenant><name>x</name><preferredViisAddress>192.0.2.900</preferredViisAddress><type>Simple</type></tenant>";
    assert_eq!(refusal(address).await, (400, "VIRMT_InvalidViisAddressFormat".to_owned()));
}

#[tokio::test]
async fn complete_tenant_needs_a_name_and_a_password_in_base64() {
    let expected = (400, "VIRMT_VKscCredentialsNotSpecified".to_owned());
    assert_eq!(refusal("<tenant><name>x</name><type>Complete</type></tenant>").await, expected);
    for (administrator, password) in
        [("", "R29vZC1QYXNzMQ=="), ("a", ""), ("a", "Good-Pass1"), ("a", "/+8=")]
    {
        assert_eq!(
            refusal(&complete("x", administrator, password)).await,
            expected,
            "{administrator} {password}"
        );
    }
}

#[tokio::test]
async fn invalid_tenant_is_refused() {
    for body in
        ["", "<tenant>", "<vm/>", "<!DOCTYPE tenant><tenant><name>x</name></tenant>", "\u{FFFE}"]
    {
        assert_eq!(refusal(body).await, (400, String::new()), "{body}");
    }
    for inner in ["<name>x</name><name>y</name>", "<name>x</name><Description>z</Description>"] {
        assert_eq!(
            refusal(&format!("<tenant>{inner}<type>Simple</type></tenant>")).await,
            (400, String::new())
        );
    }
}

#[tokio::test]
async fn conflicts_and_poor_passwords_show_in_the_task_and_change_nothing() {
    let good = "R29vZC1QYXNzMQ==";
    assert_eq!(failure(&complete("x", "x", good), false).await, "KSC_ServiceNotConfigured");
    assert_eq!(
        failure(&complete("Fabrikam Energy", "x", good), true).await,
        "VIRMT_TenantWithSpecifiedNameAlreadyExists"
    );
    assert_eq!(
        failure(&complete("x", "contoso-retail-admin", good), true).await,
        "VIRMT_UserWithSpecifiedNameAlreadyExists"
    );
    assert_eq!(
        failure(&complete("x", "x", "cG9vcg=="), true).await,
        "VIRMT_PasswordNotComplyPolicy"
    );
    let simple = "<tenant><name>Contoso Retail</name><type>Simple</type></tenant>";
    assert_eq!(failure(simple, true).await, "VIRMT_TenantWithSpecifiedNameAlreadyExists");
}

#[tokio::test]
async fn leftover_folder_fails_the_next_creation() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let path =
        format!("/tenants/{}?removeTenantArtifacts=false", simulator.tenant("Contoso Retail").id);
    assert_eq!(client.outcome(&simulator, "DELETE", &path, "").await.0, "Completed");
    let again = complete("Contoso Retail", "other-admin", "R29vZC1QYXNzMQ==");
    let (state, error) = client.outcome(&simulator, "POST", "/tenants", &again).await;
    assert_eq!(
        (state.as_str(), error.starts_with("VIRMT_TenantGroupAlreadyExists")),
        ("Failed", true)
    );
    assert_eq!(simulator.administrators(), ["contoso-retail-admin"]);
    assert!(simulator.found_tenant("Contoso Retail").is_none());
}

#[tokio::test]
async fn failing_step_rolls_everything_back() {
    for after in 0..6 {
        let simulator = simulator().await;
        let fate = Fate::Fails { code: "VIRMT_SomethingNew".to_owned(), after };
        simulator.order_task(TaskKind::CreateTenant, fate, 1);
        let client = Client::new(&simulator);
        let (state, error) = client.outcome(&simulator, "POST", "/tenants", COMPLETE).await;
        assert_eq!((state.as_str(), error.starts_with("VIRMT_SomethingNew")), ("Failed", true));
        assert_eq!((simulator.found_tenants().len(), simulator.folders().len()), (2, 1));
        assert_eq!(client.outcome(&simulator, "POST", "/tenants", COMPLETE).await.0, "Completed");
    }
}

#[tokio::test]
async fn tenant_may_be_listed_while_it_is_created() {
    for (dialect, listed) in
        [(Dialect::DOCUMENTED, false), (Dialect { lists_early: true, ..Dialect::DOCUMENTED }, true)]
    {
        let simulator = start(config().dialect(dialect)).await;
        let client = Client::new(&simulator);
        client.start("POST", "/tenants", COMPLETE).await;
        simulator.advance(STEP * 6);
        assert_eq!(
            names(&client.read("/tenants").await).contains(&"Northwind & Söhne".to_owned()),
            listed
        );
        assert!(simulator.found_tenant("Northwind & Söhne").unwrap().administrator.is_none());
    }
}

#[tokio::test]
async fn tenant_type_is_optional_in_some_dialects() {
    let body = "<tenant><name>x</name></tenant>";
    let dialect = |default_kind| Dialect { default_kind, ..Dialect::DOCUMENTED };
    let simple = start(config().dialect(dialect(Some(TenantKind::Simple)))).await;
    assert_eq!(Client::new(&simple).post("/tenants", body).await.0, 202);
    let required = start(config().dialect(dialect(None))).await;
    assert_eq!(Client::new(&required).post("/tenants", body).await.0, 400);
}
