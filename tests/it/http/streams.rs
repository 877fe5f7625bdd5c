//! Event streams end when their caller loses access, and the audit log records it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tokio::time::timeout;

use crate::oauth::asking::revoke;
use crate::support::streams::{Events, FLOODED, Streaming};
use crate::support::{Caller, both_databases, eventually};

/// The longest time a stream may continue after its caller lost access.
const WITHIN: Duration = Duration::from_secs(5);

/// Longer than any test: a stream with this interval has no events.
const NEVER: u64 = 3_600_000;

/// A stream with many events and one without any: the caller of the first is reauthorized with each
/// event, that of the second by the clock.
struct Watched {
    lively: Events,
    quiet: Events,
}

impl Watched {
    async fn by(caller: &Caller) -> Self {
        let mut lively = Events::of_ticks(caller, 20).await;
        assert_eq!(
            lively.next().await,
            Some(("next".to_owned(), json!({ "data": { "ticks": 1 } })))
        );
        Self { lively, quiet: Events::of_ticks(caller, NEVER).await }
    }

    fn request_ids(&self) -> Vec<String> {
        let mut ids = vec![self.lively.request_id(), self.quiet.request_id()];
        ids.sort();
        ids
    }

    /// Waits until both streams end in time with the code.
    async fn end(self, code: &str, why: &str) {
        let ended = timeout(WITHIN, join(self.lively.ending(), self.quiet.ending())).await;
        let ended = ended.unwrap_or_else(|_| panic!("{why}: a stream continued"));
        assert_eq!(ended, (code.to_owned(), code.to_owned()), "{why}");
    }
}

/// The audit records of the `N` streams of that client; there must not be more.
async fn recorded<const N: usize>(reader: &Caller, client: &str) -> [Value; N] {
    let document =
        "query($actor: String) { auditLog(first: 100, actor: $actor, operation: \"stream\") {
        nodes { code reason outcome tenantID actingTenantID subject requestID } } }";
    eventually(5, "the records of all streams", async || {
        let log = reader.ask(document, json!({ "actor": client })).await.field("auditLog");
        let records = log["nodes"].as_array().unwrap().clone();
        assert!(records.len() <= N, "one for each stream: {records:?}");
        records.try_into().ok()
    })
    .await
}

fn request_ids(records: &[Value; 2]) -> Vec<String> {
    let mut ids: Vec<_> =
        records.iter().map(|record| record["requestID"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

const WITHDRAWALS: [(&str, &str, &str); 4] = [
    (
        "the client was disabled",
        "UNAUTHENTICATED",
        "updateClient(id: $id, input: { enabled: false }) { id }",
    ),
    ("the client was deleted", "UNAUTHENTICATED", "deleteClient(id: $id) { id }"),
    (
        "the rotation was forced",
        "UNAUTHENTICATED",
        "forceRotateClientSecret(id: $id) { client { id } }",
    ),
    // As an auditor the caller still has access, but the streams were opened as an administrator.
    (
        "a role was taken",
        "FORBIDDEN",
        "removeClientRoles(id: $id, roles: [\"ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068\"]) { id }",
    ),
];

both_databases! {
    async fn lost_access_ends_the_streams_of_that_caller_only(app: Streaming) {
        let root = app.administrator(app.world.organization).await.within(app.world.north);
        let watcher = async || {
            let roles = [Role::Administrator, Role::Auditor];
            app.log_in(app.operator.client(app.world.north, "watcher", &roles).await).await
        };
        let mut bystander = Watched::by(&watcher().await).await;
        join_all(WITHDRAWALS.map(async |(why, code, mutation)| {
            let watcher = watcher().await;
            let watched = Watched::by(&watcher).await;
            let opened = watched.request_ids();
            root.ask(
                &format!("mutation($id: ID!) {{ {mutation} }}"),
                json!({
                    "id": watcher.id(),
                }),
            )
            .await
            .data();
            watched.end(code, why).await;
            let records = recorded(&root, watcher.id()).await;
            assert_eq!(request_ids(&records), opened, "{why}");
            for record in &records {
                let north = app.world.north;
                let expected = json!({
                    "code": code,
                    "reason": null,
                    "outcome": "REFUSED",
                    "tenantID": north,
                    "actingTenantID": north,
                    "subject": null,
                    "requestID": record["requestID"],
                });
                assert_eq!(*record, expected, "{why}");
            }
        }))
        .await;
        let cut = timeout(Duration::from_millis(200), bystander.quiet.next()).await;
        assert!(cut.is_err(), "{cut:?}");
    }

    async fn revoked_token_ends_its_streams(app: Streaming) {
        let root = app.administrator(app.world.organization).await;
        let watcher = app.caller(app.world.north, Role::Auditor).await;
        let watched = Watched::by(&watcher).await;
        assert_eq!(revoke(&app, &watcher.credentials, &watcher.token).await, 200);
        watched.end("UNAUTHENTICATED", "the token was revoked").await;
        assert!(
            recorded::<2>(&root, watcher.id())
                .await
                .iter()
                .all(|record| record["reason"].is_null())
        );
    }

    async fn each_of_many_ended_streams_is_recorded(app: Streaming) {
        const MANY: usize = 60;
        let root = app.administrator(app.world.organization).await;
        let watcher = app.caller(app.world.north, Role::Auditor).await;
        let streams = join_all((0..MANY).map(|_| Events::of_ticks(&watcher, NEVER))).await;
        assert_eq!(revoke(&app, &watcher.credentials, &watcher.token).await, 200);
        let ended = timeout(WITHIN, join_all(streams.into_iter().map(Events::ending)))
            .await
            .expect("all streams end in time");
        assert_eq!(ended, vec!["UNAUTHENTICATED"; MANY]);
        recorded::<MANY>(&root, watcher.id()).await;
    }

    async fn stream_ends_when_its_reader_stalls(app: Streaming) {
        let root = app.administrator(app.world.organization).await;
        let watcher = app.caller(app.world.north, Role::Auditor).await;
        let deaf = Events::of(&watcher, "subscription { flood }").await;
        eventually(30, "the flood stalls", async || {
            let earlier = FLOODED.load(Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            (earlier > 0 && FLOODED.load(Ordering::SeqCst) == earlier).then_some(())
        })
        .await;
        assert_eq!(revoke(&app, &watcher.credentials, &watcher.token).await, 200);
        let [record] = recorded(&root, watcher.id()).await;
        assert_eq!(record["code"], "UNAUTHENTICATED");
        assert_eq!(
            deaf.ending().await,
            "UNAUTHENTICATED",
            "a reader that resumes receives the error"
        );
    }

    async fn disabled_tenant_ends_the_streams_in_it_and_below(app: Streaming) {
        let root = app.administrator(app.world.partner).await;
        let own = app.caller(app.world.north, Role::Auditor).await;
        let from_above = app.caller(app.world.partner, Role::Auditor).await;
        let of_own = Watched::by(&own).await;
        let of_above = Watched::by(&from_above.within(app.world.north)).await;
        let close = "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { enabled: \
            false }) { id } }";
        root.ask(close, json!({ "id": app.world.organization })).await.data();
        join(
            of_own.end("UNAUTHENTICATED", "its own tenant was closed"),
            of_above.end("FORBIDDEN", "the tenant was closed"),
        )
        .await;
        for record in recorded::<2>(&root, from_above.id()).await {
            let tenants = (&record["tenantID"], &record["actingTenantID"]);
            assert_eq!(tenants, (&json!(app.world.north), &json!(app.world.partner)));
        }
    }

    async fn expired_role_and_expired_token_end_streams(app: Streaming) {
        let root = app.administrator(app.world.organization).await;
        let watcher = app.caller(app.world.north, Role::Auditor).await;
        let lend = "mutation($id: ID!, $until: String) { appendClientRoles(id: $id, roles: [
            { roleID: \"ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068\", expiresAt: $until }]) { id } }";
        let lent = json!({ "id": watcher.id(), "until": app.in_seconds(600) });
        root.within(app.world.north).ask(lend, lent).await.data();
        let watched = Watched::by(&watcher).await;
        app.advance(600);
        watched.end("FORBIDDEN", "the role ran out").await;
        let patient = app.caller(app.world.north, Role::Auditor).await;
        let watched = Watched::by(&patient).await;
        app.advance(3600);
        watched.end("UNAUTHENTICATED", "the token ran out").await;
        let root = root.again().await;
        assert!(
            recorded::<2>(&root, watcher.id())
                .await
                .iter()
                .all(|record| record["code"] == "FORBIDDEN")
        );
        assert!(
            recorded::<2>(&root, patient.id())
                .await
                .iter()
                .all(|record| record["reason"] == "token_expired")
        );
    }

    async fn access_removed_on_another_node_ends_streams(app: Streaming) {
        let another = app.another_node().await;
        let root =
            app.administrator(app.world.organization).await.at(&another).within(app.world.north);
        let disabled = app.caller(app.world.north, Role::Auditor).await;
        let revoked = app.caller(app.world.north, Role::Auditor).await;
        let of_disabled = Watched::by(&disabled).await;
        let of_revoked = Watched::by(&revoked).await;
        let disable =
            "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }";
        root.ask(disable, json!({ "id": disabled.id() })).await.data();
        assert_eq!(revoke(&another, &revoked.credentials, &revoked.token).await, 200);
        app.advance(5);
        join(
            of_disabled.end("UNAUTHENTICATED", "another node disabled the client"),
            of_revoked.end("UNAUTHENTICATED", "another node revoked the token"),
        )
        .await;
    }

    async fn stream_is_refused_like_a_post(app: Streaming) {
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        let mut unknown = auditor.clone();
        unknown.token = "x".to_owned();
        let strangers = [auditor.within(app.world.south), unknown];
        for (stranger, status) in strangers.iter().zip([403, 401]) {
            let mut learnt = Vec::new();
            for accept in ["application/json", "text/event-stream"] {
                let request = stranger.request("subscription { ticks(millis: 1) }", &json!({}));
                learnt.push(app.send(request.header("accept", accept)).await.learnt());
            }
            assert_eq!(learnt[0].0, status);
            assert_eq!(learnt[0], learnt[1]);
        }
    }
}
