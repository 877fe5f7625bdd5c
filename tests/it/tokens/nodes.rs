//! Several nodes on one database.

use serde_json::json;
use tenant_gateway::roles::Role;

use crate::support::{Caller, TestApp, both_databases};

async fn change(administrator: &Caller, field: &str, id: &str) {
    administrator
        .ask(
            &format!(
                "mutation($id: ID!) {{ {field} {{ __typename }} \
        }}"
            ),
            json!({ "id": id }),
        )
        .await
        .data();
}

both_databases! {
    async fn token_is_valid_on_every_node(app: TestApp) {
        let another = app.another_node().await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(robot.at(&another.gateway).status().await, 200);
        let theirs = another.log_in(robot.credentials.clone()).await;
        assert_eq!(theirs.at(&app.gateway).status().await, 200);
    }

    async fn token_outlives_a_restart(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let restarted = app.another_node().await;
        app.stop().await;
        assert_eq!(robot.at(&restarted.gateway).status().await, 200);
    }

    async fn access_ended_on_one_node_ends_on_others_within_five_seconds(app: TestApp) {
        let another = app.another_node().await;
        let administrator = app.administrator(app.world.organization).await;
        for field in [
            "deleteClient(id: $id)",
            "updateClient(id: $id, input: { enabled: false })",
            "forceRotateClientSecret(id: $id)",
        ] {
            let robot = app.caller(app.world.north, Role::Auditor).await;
            let elsewhere = robot.at(&another.gateway);
            assert!(
                elsewhere.status().await == 200 && another.works(&robot.credentials).await,
                "it is cached there"
            );
            change(&administrator, field, robot.id()).await;
            assert_eq!(robot.status().await, 401, "{field}: at once here");
            assert!(!app.works(&robot.credentials).await);
            app.advance(5);
            assert_eq!(elsewhere.status().await, 401, "{field}");
            assert!(!another.works(&robot.credentials).await, "{field}");
        }
    }

    async fn role_removed_on_one_node_ends_on_others_within_five_seconds(app: TestApp) {
        let another = app.another_node().await;
        let administrator = app.administrator(app.world.north).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let elsewhere = robot.at(&another.gateway);
        assert_eq!(elsewhere.status().await, 200);
        let role = Role::Auditor.id();
        change(
            &administrator,
            &format!("removeClientRoles(id: $id, roles: [\"{role}\"])"),
            robot.id(),
        )
        .await;
        app.advance(5);
        assert_eq!(elsewhere.status().await, 403);
    }

    async fn secret_rotated_on_one_node_works_on_others_at_once(app: TestApp) {
        let another = app.another_node().await;
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        assert!(another.works(&robot).await);
        let new = administrator.rotate(&robot, 0).await;
        assert!(another.works(&new).await);
        app.advance(5);
        assert!(!another.works(&robot).await);
    }

    async fn cached_caller_costs_no_database_query(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(robot.status().await, 200);
        app.operator.database.close().await.unwrap();
        app.advance(2);
        assert_eq!(robot.status().await, 200);
        assert!(app.works(&robot.credentials).await);
        app.advance(3);
        assert_eq!(robot.status().await, 503, "the cached access is five seconds old");
    }

    async fn usage_counts_of_all_nodes_are_summed(app: TestApp) {
        let another = app.another_node().await;
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        for _ in 0..3 {
            assert!(app.works(&robot).await && another.works(&robot).await);
        }
        another.stop().await;
        assert_eq!(
            administrator.client(&robot.id, "{ tokenRequestCount }").await["tokenRequestCount"],
            6
        );
    }
}
