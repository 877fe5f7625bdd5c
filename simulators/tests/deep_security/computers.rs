use serde_json::json;
use tenant_gateway_simulators::deep_security::TenantSeed;

use crate::support::*;

#[tokio::test]
async fn tenants_have_equal_ids_and_different_computers() {
    let simulator = simulator().await;
    for (name, domain) in
        [("Contoso Retail", "contoso-retail"), ("Fabrikam Energy", "fabrikam-energy")]
    {
        let computers = Client::of(&simulator, name).read("/computers?expand=none").await;
        assert_eq!(ids(&computers["computers"]), (1..=12).collect::<Vec<_>>());
        assert_eq!(computers["computers"][4]["hostName"], format!("host-5.{domain}.example"));
    }
}

#[tokio::test]
async fn expand_selects_parts_and_defaults_to_all() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let none = client.read("/computers/3?expand=none").await;
    assert!(
        none.get("intrusionPrevention").is_none() && none.get("ec2VirtualMachineSummary").is_none()
    );
    let two = client
        .read("/computers/3?expand=intrusionPrevention&expand=computerStatus&overrides=False")
        .await;
    assert_eq!(two["intrusionPrevention"]["state"], "detect");
    assert_eq!(two["intrusionPrevention"]["moduleStatus"]["agentStatus"], "active");
    assert_eq!(two["computerStatus"]["agentStatus"], "active");
    assert!(two.get("firewall").is_none());
    let all = client.read("/computers/3").await;
    assert_eq!(all, client.read("/computers/3?expand=all").await);
    assert_eq!(all["computerSettings"].as_object().unwrap().len(), 219);
    assert_eq!(all["ec2VirtualMachineSummary"]["state"], "POWER ON");
    assert!(client.read("/computers/1").await.get("ec2VirtualMachineSummary").is_none());
    assert_eq!(client.status("/computers?expand=intrusionPrevention,firewall").await, 400);
    assert_eq!(client.status("/computers?expand=everything").await, 400);
    assert_eq!(client.status("/computers?expand=none&overrides=maybe").await, 400);
}

#[tokio::test]
async fn new_computer_omits_null_members() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let fresh =
        client.write("/computers?expand=intrusionPrevention", json!({"hostName": "h"})).await;
    let expected = json!({
        "ID": 13,
        "hostName": "h",
        "displayName": "",
        "description": "",
        "lastIPUsed": "",
        "platform": "Unknown",
        "groupID": 0,
        "relayListID": 0,
        "agentVersion": "0.0.0.0",
        "hostGUID": fresh["hostGUID"],
        "intrusionPrevention": {
            "state": "off",
            "moduleStatus": { "agentStatus": "inactive", "agentStatusMessage": "Not Activated" },
        },
    });
    assert_eq!(fresh, expected);
}

#[tokio::test]
async fn modification_is_partial_and_zero_removes_the_policy() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let before = client.read("/computers/2?expand=none").await;
    let after =
        client.write("/computers/2?expand=none&overrides=False", json!({"policyID": 0})).await;
    assert!(after.get("policyID").is_none());
    assert_eq!(after["hostName"], before["hostName"]);
    let null = json!({"searchCriteria": [{"fieldName": "policyID", "nullTest": true}]});
    assert_eq!(ids(&client.write("/computers/search?expand=none", null).await["computers"]), [2]);
    assert_eq!(client.post("/computers/2?expand=none", json!({"policyID": 99})).await.0, 400);
    assert_eq!(
        client.post("/computers/2", json!({"hostName": "host-1.contoso-retail.example"})).await.0,
        400
    );
    let fabrikam = Client::of(&simulator, "Fabrikam Energy");
    assert_eq!(fabrikam.read("/computers/2?expand=none").await["policyID"], 2);
}

#[tokio::test]
async fn overrides_contain_only_own_values() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    assert_eq!(client.read("/computers/1?overrides=True").await, json!({}));
    client
        .write("/computers/1?expand=none", json!({"intrusionPrevention": {"state": "prevent"}}))
        .await;
    let own = json!({"ID": 1, "intrusionPrevention": {"state": "prevent"}});
    assert_eq!(client.read("/computers/1?overrides=true").await, own);
    let all = client.read("/computers/1?expand=intrusionPrevention").await;
    assert_eq!(all["intrusionPrevention"]["state"], "prevent");
    assert_eq!(all["intrusionPrevention"]["ruleIDs"].as_array().unwrap().len(), 12);
    client
        .write("/computers/1?expand=none", json!({"intrusionPrevention": {"state": "inherited"}}))
        .await;
    assert_eq!(client.read("/computers/1?overrides=true").await, json!({}));
}

#[tokio::test]
async fn single_setting_is_read_set_and_reset() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let path = "/computers/1/settings/firewallSettingEngineOptionConnectionsCleanupMax";
    assert_eq!(client.read(path).await, json!({"value": "1000"}));
    assert_eq!(client.read(&format!("{path}?overrides=True")).await, json!({}));
    assert_eq!(client.write(path, json!({"value": "77"})).await, json!({"value": "77"}));
    assert_eq!(client.read(&format!("{path}?overrides=True")).await, json!({"value": "77"}));
    let computer = client.read("/computers/1?expand=computerSettings").await;
    assert_eq!(
        computer["computerSettings"]["firewallSettingEngineOptionConnectionsCleanupMax"]["value"],
        "77"
    );
    assert_eq!(client.delete(path).await, (200, json!({"value": "1000"})));
    assert_eq!(client.status("/computers/1/settings/noSuchSetting").await, 404);
    assert_eq!(client.post(path, json!({"value": 7})).await.0, 400);
}

#[tokio::test]
async fn pages_contain_every_computer_once() {
    let simulator = simulator().await;
    let client = Client::of(&simulator, "Contoso Retail");
    let mut seen = Vec::new();
    let mut last = 0;
    loop {
        let body = page(last, 5);
        let found = ids(&client.write("/computers/search?expand=none", body).await["computers"]);
        let Some(&newest) = found.last() else { break };
        last = newest;
        seen.extend(found);
    }
    assert_eq!(seen, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn many_large_computers_are_sent_completely() {
    let tenant = TenantSeed::named("Big").computers(5000);
    let simulator = start(unlimited().tenant(tenant)).await;
    let client = Client::of(&simulator, "Big");
    let mut response = client.request("GET", "/computers").send().await.unwrap();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    let size = body.len() / 5000;
    assert!((15_000..25_000).contains(&size), "{size} bytes each");
    let text = String::from_utf8(body).unwrap();
    assert_eq!(text.matches(r#""hostName":"host-"#).count(), 5000);
    assert!(text.starts_with(r#"{"computers":[{"#) && text.ends_with("}]}"));
}
