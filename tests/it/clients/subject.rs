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
        // The statements of background jobs count as well.
        for _ in 0..20 {
            let before = app.operator.database.statements();
            ask().await;
            if app.operator.database.statements() == before {
                return;
            }
        }
        panic!("each answer took a statement");
    }
}
