//! People at the command line.

use serde_json::{Value, json};

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, both_databases, notes};

fn json_of(deployment: &Deployment, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    let output = deployment.run(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = serde_json::from_slice(&output.stdout).unwrap();
    notes::note_all(&printed);
    printed
}

both_databases! {
    async fn people_are_made_listed_and_disabled(deployment: Deployment) {
        deployment.init();
        let create = ["user", "create", "--email", "ada@example.com", "--role", "TenantAdministrator"];
        let made = json_of(&deployment, &create);
        let id = made["userID"].as_str().unwrap();
        let first = made["inviteURL"].as_str().unwrap();
        assert!(first.contains("/invite/tgw_"), "the link of a page");
        let listed = json_of(&deployment, &["user", "list"]);
        let expected = json!([{
            "userID": id,
            "email": "ada@example.com",
            "name": "ada",
            "tenantID": listed[0]["tenantID"],
            "roles": "TenantAdministrator",
            "enabled": true,
            "lastSignInAt": null,
        }]);
        assert_eq!(listed, expected);
        for command in ["invite", "reset-mfa"] {
            let again = json_of(&deployment, &["user", command, id]);
            assert_eq!(again["userID"], id);
            assert_ne!(again["inviteURL"].as_str().unwrap(), first, "{command}");
        }
        assert_eq!(json_of(&deployment, &["user", "disable", id])["enabled"], false);
        assert_eq!(json_of(&deployment, &["user", "enable", id])["enabled"], true);
        let twice = deployment.run(&create);
        assert_eq!(twice.status.code(), Some(1));
    }
}

#[tokio::test]
async fn init_makes_the_first_person_too() {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let made = json_of(&deployment, &["init", "--email", "ada@example.com"]);
    assert!(made["inviteURL"].as_str().unwrap().contains("/invite/"));
    assert!(made["clientSecret"].is_string());
    let listed = json_of(&deployment, &["user", "list"]);
    assert_eq!(listed[0]["userID"], made["userID"]);
    assert_eq!(listed[0]["roles"], "TenantAdministrator");
}
