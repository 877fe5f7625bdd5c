use crate::support::*;

#[tokio::test]
async fn status_changes_when_the_task_has_ended() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let contoso = &simulator.tenant("Contoso Retail").id;
    let fabrikam = &simulator.tenant("Fabrikam Energy").id;
    client.start("POST", &format!("/tenants/{contoso}/deactivate"), "").await;
    assert!(simulator.found_tenant("Contoso Retail").unwrap().active);
    simulator.advance(LONG);
    assert!(!simulator.found_tenant("Contoso Retail").unwrap().active);

    let outcome =
        client.outcome(&simulator, "POST", &format!("/tenants/{fabrikam}/activate"), "").await;
    assert_eq!(outcome, ("Completed".to_owned(), "true".to_owned()));
    assert!(simulator.found_tenant("Fabrikam Energy").unwrap().active);
    assert!(simulator.found_tasks().iter().all(|task| task.kind == "ChangeTenantActivation"));
}

#[tokio::test]
async fn unknown_tenant_fails_the_task() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    for call in ["activate", "deactivate"] {
        let (state, error) =
            client.outcome(&simulator, "POST", &format!("/tenants/nobody/{call}"), "").await;
        assert_eq!(
            (state.as_str(), error.split(':').next()),
            ("Failed", Some("VIRMT_TenantWithSpecifiedIdNotFound"))
        );
    }
}

#[tokio::test]
async fn complete_tenant_needs_security_center_and_a_simple_one_does_not() {
    let simulator = simulator().await;
    simulator.set_security_center(false);
    let client = Client::new(&simulator);
    for (name, state) in [("Contoso Retail", "Failed"), ("Fabrikam Energy", "Completed")] {
        for call in ["activate", "deactivate"] {
            let path = format!("/tenants/{}/{call}", simulator.tenant(name).id);
            let outcome = client.outcome(&simulator, "POST", &path, "").await;
            assert_eq!(
                (outcome.0.as_str(), outcome.1.starts_with("KSC_ServiceNotConfigured")),
                (state, state == "Failed")
            );
        }
    }
}
