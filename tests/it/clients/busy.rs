//! Reads while writers hold the database.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use tenant_gateway::roles::Role;
use tokio::time::timeout;

use crate::support::{TestApp, both_databases};

both_databases! {
    async fn reading_clients_does_not_wait_for_writers(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let write = app.operator.database.begin().await.unwrap();
        if app.database.engine == Engine::Postgres {
            write.on().execute_unprepared("LOCK TABLE clients IN EXCLUSIVE MODE").await.unwrap();
        }
        assert!(app.works(&robot).await, "usage is not written yet");
        let read = timeout(Duration::from_secs(5), async {
            for _ in 0..5 {
                administrator.client(&robot.id, "{ name tokenRequestCount }").await;
            }
            administrator.ask("{ clients { id } }", serde_json::json!({})).await.data();
        });
        read.await.expect("reads complete while a writer holds the database");
        drop(write);
        let seen = administrator.client(&robot.id, "{ tokenRequestCount }").await;
        assert_eq!(seen["tokenRequestCount"], 1, "no usage is lost");
    }
}
