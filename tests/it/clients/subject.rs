//! The answer to a client that asks who it is.

use serde_json::json;
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

both_databases! {
    async fn own_id_is_told_without_a_statement(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let ask = async || {
            let subject = caller.ask("{ currentSubject { id } }", json!({})).await;
            assert_eq!(subject.field("currentSubject")["id"], json!(caller.credentials.id));
        };
        ask().await;
        let before = app.operator.database.statements();
        ask().await;
        assert_eq!(app.operator.database.statements(), before);
    }
}
