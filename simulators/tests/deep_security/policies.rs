use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn policy_inherits_unset_values() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let body = json!({
        "parentID": 1, "name": "P", "description": "d", "autoRequiresUpdate": "on",
        "intrusionPrevention": {"state": "prevent", "ruleIDs": [1, 2]},
    });
    let made = client.write("/policies?overrides=False", body).await;
    assert_eq!((&made["ID"], &made["parentID"]), (&json!(4), &json!(1)));
    let own = json!({
        "state": "prevent",
        "ruleIDs": [1, 2],
        "moduleStatus": { "status": "active", "statusMessage": "On" },
    });
    assert_eq!(made["intrusionPrevention"], own);
    assert_eq!(made["antiMalware"]["realTimeScanConfigurationID"], 1);
    assert_eq!(made["policySettings"].as_object().unwrap().len(), 219);
    let overrides = json!({
        "ID": 4,
        "autoRequiresUpdate": "on",
        "intrusionPrevention": { "state": "prevent", "ruleIDs": [1, 2] },
    });
    assert_eq!(client.read("/policies/4?overrides=True").await, overrides);

    client.write("/computers/1?expand=none", json!({"policyID": 4})).await;
    let computer = client.read("/computers/1?expand=intrusionPrevention").await;
    assert_eq!(computer["intrusionPrevention"]["ruleIDs"], json!([1, 2]));
    assert_eq!(client.delete("/policies/4").await.0, 400);
    client.write("/computers/1?expand=none", json!({"policyID": 0})).await;
    assert_eq!(client.delete("/policies/4").await.0, 200);
    assert_eq!(Client::of(&simulator, "Fabrikam Energy").status("/policies/4").await, 404);
}

#[tokio::test]
async fn invalid_policies_are_refused() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    for body in [
        json!({}),
        json!({"name": "Base Policy"}),
        json!({"name": "P", "parentID": 99}),
        json!({"name": "P", "autoRequiresUpdate": true}),
        json!({"name": "P", "intrusionPrevention": {"state": "on"}}),
        json!({"name": "P", "intrusionPrevention": "prevent"}),
    ] {
        assert_eq!(client.post("/policies", body.clone()).await.0, 400, "{body}");
    }
    assert_eq!(client.post("/policies/1", json!({"parentID": 2})).await.0, 400);
    assert_eq!(client.write("/policies/2", json!({"parentID": 0})).await.get("parentID"), None);
    assert_eq!(client.post("/policies/1", json!({"parentID": 2})).await.0, 200);
}

#[tokio::test]
async fn settings_are_inherited_from_policies_and_defaults() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let name = "firewallSettingReconnaissanceEnabled";
    let value = async |path: String| client.read(&path).await["value"].clone();
    client
        .write(&format!("/policies/default/settings/{name}"), json!({"value": "from the defaults"}))
        .await;
    assert_eq!(value(format!("/policies/2/settings/{name}")).await, "from the defaults");
    client.write(&format!("/policies/1/settings/{name}"), json!({"value": "from the base"})).await;
    assert_eq!(value(format!("/policies/2/settings/{name}")).await, "from the base");
    assert_eq!(value(format!("/computers/2/settings/{name}")).await, "from the base");
    client.delete(&format!("/policies/1/settings/{name}")).await;
    assert_eq!(value(format!("/computers/2/settings/{name}")).await, "from the defaults");
    let defaults = client.read("/policies/default?overrides=true").await;
    assert_eq!(defaults["policySettings"][name]["value"], "from the defaults");
}
