use tenant_gateway_simulators::integration_server::{Fate, TaskKind};

use crate::support::*;

#[tokio::test]
async fn artifacts_go_with_a_tenant_or_stay() {
    for (artifacts, folders) in [("true", 0), ("false", 1)] {
        let simulator = simulator().await;
        let client = Client::new(&simulator);
        let id = &simulator.tenant("Contoso Retail").id;
        let path = format!("/tenants/{id}?removeTenantArtifacts={artifacts}");
        let task = client.start("DELETE", &path, "").await;
        simulator.advance(LONG);
        let task = client.read(&format!("/tasks/{task}")).await;
        assert_eq!(
            (text(&task, "state"), text(&task, "type")),
            ("Completed".to_owned(), "DeleteTenant".to_owned())
        );
        assert!(task.contains(&format!("<tenant id=\"{id}\"")));
        assert_eq!(client.get(&format!("/tenants/{id}")).await.0, 404);
        assert_eq!(
            (simulator.folders().len(), simulator.administrators().len()),
            (folders, folders)
        );
    }
}

#[tokio::test]
async fn unknown_tenant_fails_the_task() {
    let simulator = simulator().await;
    let path = "/tenants/nobody?removeTenantArtifacts=true";
    let (state, error) = Client::new(&simulator).outcome(&simulator, "DELETE", path, "").await;
    assert_eq!(
        (state.as_str(), error.split(':').next()),
        ("Failed", Some("VIRMT_TenantWithSpecifiedIdNotFound"))
    );
}

#[tokio::test]
async fn artifacts_need_security_center() {
    let simulator = simulator().await;
    simulator.set_security_center(false);
    let path = |artifacts| {
        format!(
            "/tenants/{}?removeTenantArtifacts={artifacts}",
            simulator.tenant("Contoso Retail").id
        )
    };
    let client = Client::new(&simulator);
    let (state, error) = client.outcome(&simulator, "DELETE", &path(true), "").await;
    assert_eq!(
        (state.as_str(), error.split(':').next()),
        ("Failed", Some("KSC_ServiceNotConfigured"))
    );
    assert_eq!(client.outcome(&simulator, "DELETE", &path(false), "").await.0, "Completed");
    assert_eq!(client.call("DELETE", &path(false).replace("false", "perhaps"), "").await.0, 400);
}

#[tokio::test]
async fn failing_step_rolls_everything_back() {
    for after in 0..4 {
        let simulator = simulator().await;
        let before = (
            simulator.found_tenant("Contoso Retail"),
            simulator.folders(),
            simulator.administrators(),
        );
        let fate = Fate::Fails { code: "KSC_Broken".to_owned(), after };
        simulator.order_task(TaskKind::DeleteTenant, fate, 1);
        let path = format!(
            "/tenants/{}?removeTenantArtifacts=true",
            simulator.tenant("Contoso Retail").id
        );
        assert_eq!(
            Client::new(&simulator).outcome(&simulator, "DELETE", &path, "").await.0,
            "Failed"
        );
        let after = (
            simulator.found_tenant("Contoso Retail"),
            simulator.folders(),
            simulator.administrators(),
        );
        assert_eq!(after, before);
    }
}
