//! Client authentication by signed assertions (RFC 7523).

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::asking::{GRANT, INTROSPECT, reasons, rows};
use crate::support::caller::Gateway;
use crate::support::{Answer, Caller, Credentials, TestApp, both_databases, eventually, notes};

const ASSERTION_TYPE: (&str, &str) =
    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
const ADD: &str = "mutation($id: ID!, $jwk: JSON!) { addClientKey(id: $id, input: { jwk: $jwk }) {
    keys { id algorithm kid thumbprint createdAt lastUsedAt lastUsedFrom } } }";
const REMOVE: &str =
    "mutation($id: ID!, $key: ID!) { removeClientKey(id: $id, keyID: $key) { keys { id } } }";

/// A key pair of the client.
struct Key(Ed25519KeyPair);

impl Key {
    fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    fn jwk(&self) -> Value {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "x": URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref()),
            "kid": "mine",
        })
    }

    fn sign(&self, claims: &Value) -> String {
        let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let message =
            format!("{}.{}", part(&json!({ "alg": "EdDSA", "kid": "mine" })), part(claims));
        let signed =
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes())));
        notes::note(&signed);
        signed
    }
}

fn claims(app: &TestApp, client: &Credentials, jti: &str) -> Value {
    let now = app.now().seconds();
    json!({
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": app.url,
        "iat": now,
        "exp": now + 300,
        "jti": jti,
    })
}

fn with(claims: &Value, member: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[member] = value;
    claims
}

async fn show(gateway: &Gateway, assertion: &str) -> Answer {
    gateway
        .send(gateway.token_request(&[GRANT, ASSERTION_TYPE, ("client_assertion", assertion)]))
        .await
}

async fn add(by: &Caller, client: &Credentials, key: &Key) -> Answer {
    by.ask(ADD, json!({ "id": client.id, "jwk": key.jwk() })).await
}

both_databases! {
    async fn registered_key_authenticates_its_client(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        let added =
            add(&administrator, &robot, &key).await.field("addClientKey")["keys"][0].clone();
        assert_eq!(
            (&added["algorithm"], &added["kid"], &added["lastUsedAt"]),
            (&json!("EdDSA"), &json!("mine"), &Value::Null)
        );
        app.advance(60);
        let answer = show(&app, &key.sign(&claims(&app, &robot, "1"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.body["access_token"].as_str().unwrap();
        let request = app.graphql("{ currentSubject { id } }", &json!({})).bearer_auth(token);
        assert_eq!(app.send(request).await.field("currentSubject")["id"], json!(robot.id));
        let seen = administrator
            .client(&robot.id, "{ tokenRequestCount keys { lastUsedAt lastUsedFrom } }")
            .await;
        let expected =
            json!([{ "lastUsedAt": app.now().to_string(), "lastUsedFrom": "127.0.0.1" }]);
        assert_eq!((&seen["keys"], &seen["tokenRequestCount"]), (&expected, &json!(1)));
        for (jti, path) in
            [("2", "/oauth2/token"), ("3", "/auth/api/v2/auth/token"), ("4", INTROSPECT)]
        {
            let signed = key.sign(&with(
                &claims(&app, &robot, jti),
                "aud",
                json!(format!("{}{path}", app.url)),
            ));
            assert_eq!(
                show(&app, &signed).await.status,
                200,
                "the address of an endpoint is an audience too"
            );
        }
    }

    async fn assertion_is_accepted_once_over_all_nodes(app: TestApp) {
        let another = app.another_node_with(|_| ()).await;
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        add(&administrator, &robot, &key).await.data();
        let signed = key.sign(&claims(&app, &robot, "once"));
        assert_eq!(show(&app, &signed).await.status, 200);
        assert_eq!(show(&app, &signed).await.status, 401);
        let there = with(&claims(&app, &robot, "once"), "aud", json!(another.url));
        assert_eq!(
            show(&another, &key.sign(&there)).await.status,
            401,
            "the same jti, at another node"
        );
        let other = app.credentials(app.world.north, Role::Auditor).await;
        let other_key = Key::new();
        add(&administrator, &other, &other_key).await.data();
        assert_eq!(
            show(&app, &other_key.sign(&claims(&app, &other, "once"))).await.status,
            200,
            "another client's jti is distinct"
        );
        let signed = key.sign(&claims(&app, &robot, "at once"));
        let shown = (0..8).map(|_| show(&app, &signed));
        let answers = futures_join(shown).await;
        assert_eq!(
            answers.iter().filter(|answer| answer.status == 200).count(),
            1,
            "one of several concurrent requests succeeds"
        );
        // An hour beyond the longest accepted lifetime.
        app.advance(300 + 3600);
        app.background_jobs.run_once().await.unwrap();
        assert!(rows(&app, "used_assertions").await > 0);
        app.advance(1);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "used_assertions").await, 0, "expired assertions are deleted");
        assert_eq!(show(&app, &signed).await.status, 401);
    }

    async fn assertions_are_accepted_no_faster_than_the_rate_limit(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        add(&administrator, &robot, &key).await.data();
        let node = app
            .another_node_with(|config| {
                config.rate_limit.client_per_second = 1;
                config.rate_limit.client_burst = 3;
            })
            .await;
        let mut refused = 0;
        for number in 0..20 {
            let signed = key.sign(&with(
                &claims(&app, &robot, &format!("fast {number}")),
                "aud",
                json!(node.url),
            ));
            let answer = show(&node, &signed).await;
            if answer.status == 429 {
                refused += 1;
                assert_eq!(answer.body["error"], "temporarily_unavailable");
                assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
            } else {
                assert_eq!(answer.status, 200, "{}", answer.body);
            }
        }
        assert!((1..=17).contains(&refused), "{refused}");
        assert_eq!(
            rows(&app, "used_assertions").await,
            20 - refused,
            "a refused assertion costs no write"
        );
    }

    async fn failed_authentications_look_alike_and_the_log_has_the_reason(app: TestApp) {
        let top = app.administrator(app.world.top).await;
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        add(&administrator, &robot, &key).await.data();
        let now = app.now().seconds();
        let good = claims(&app, &robot, "1");
        let keyless = app.credentials(app.world.north, Role::Auditor).await;
        let nobody = Credentials { client_id: "nobody".to_owned(), ..keyless.clone() };
        let cases = [
            (key.sign(&with(&good, "aud", json!("https://another.example"))), "wrong_audience"),
            (
                key.sign(&with(&good, "aud", json!([app.url, "https://another.example"]))),
                "wrong_audience",
            ),
            (key.sign(&with(&good, "iss", json!("another"))), "wrong_issuer"),
            (key.sign(&with(&good, "exp", json!(now))), "assertion_expired"),
            (key.sign(&with(&good, "exp", json!(now + 331))), "assertion_lives_too_long"),
            (key.sign(&with(&good, "nbf", json!(now + 31))), "assertion_not_yet_valid"),
            (key.sign(&with(&good, "jti", json!(""))), "jti_missing"),
            (Key::new().sign(&good), "wrong_signature"),
            (key.sign(&claims(&app, &keyless, "1")), "no_key_of_this_algorithm"),
            (key.sign(&claims(&app, &nobody, "1")), "unknown_client"),
            ("rubbish".to_owned(), "no_credentials"),
        ];
        let mut learnt = Vec::new();
        for (signed, _) in &cases {
            learnt.push(show(&app, signed).await.learnt());
        }
        assert!(learnt.iter().all(|other| *other == learnt[0]), "{learnt:#?}");
        assert_eq!(learnt[0].0, 401);
        let mut expected: Vec<Value> = cases.iter().map(|(_, reason)| json!(reason)).collect();
        expected.sort_by_key(Value::to_string);
        eventually(10, "the records", async || {
            let mut told: Vec<Value> =
                reasons(&top, "token").await.into_iter().map(|(_, reason)| reason).collect();
            told.sort_by_key(Value::to_string);
            (told == expected).then_some(())
        })
        .await;
        assert_eq!(
            show(&app, &key.sign(&good)).await.status,
            200,
            "otherwise the refusals below prove nothing"
        );
    }

    async fn client_holds_at_most_two_distinct_keys(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let keys = [Key::new(), Key::new(), Key::new()];
        add(&administrator, &robot, &keys[0]).await.data();
        assert_eq!(add(&administrator, &robot, &keys[0]).await.code(), "CONFLICT");
        app.advance(1);
        let both = add(&administrator, &robot, &keys[1]).await.field("addClientKey");
        assert_eq!(add(&administrator, &robot, &keys[2]).await.code(), "CONFLICT");
        for (key, jti) in [(&keys[0], "1"), (&keys[1], "2")] {
            assert_eq!(
                show(&app, &key.sign(&claims(&app, &robot, jti))).await.status,
                200,
                "both work"
            );
        }
        let old = both["keys"][1]["id"].clone();
        administrator.ask(REMOVE, json!({ "id": robot.id, "key": old })).await.data();
        assert_eq!(
            show(&app, &keys[0].sign(&claims(&app, &robot, "3"))).await.status,
            401,
            "a removed key does not work"
        );
        assert_eq!(
            administrator.ask(REMOVE, json!({ "id": robot.id, "key": old })).await.code(),
            "NOT_FOUND"
        );
        add(&administrator, &robot, &keys[2]).await.data();
    }

    async fn concurrent_key_additions_respect_the_limit(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let keys: Vec<Key> = (0..6).map(|_| Key::new()).collect();
        futures_join(keys.iter().map(|key| add(&administrator, &robot, key))).await;
        let held = administrator.client(&robot.id, "{ keys { id } }").await;
        assert_eq!(held["keys"].as_array().unwrap().len(), 2);
    }

    async fn private_key_is_refused_without_echoing_it(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        let private = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
        notes::note(private);
        let answer = administrator
            .ask(ADD, json!({ "id": robot.id, "jwk": with(&key.jwk(), "d", json!(private)) }))
            .await;
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        assert!(!answer.body.to_string().contains(private));
        for jwk in [
            json!("text"),
            json!({}),
            json!({ "kty": "oct", "k": "AAAA" }),
            with(&key.jwk(), "x", json!("short")),
        ] {
            assert_eq!(
                administrator.ask(ADD, json!({ "id": robot.id, "jwk": jwk })).await.code(),
                "BAD_USER_INPUT"
            );
        }
    }

    async fn caller_cannot_add_key_to_client_with_more_authority(app: TestApp) {
        let strong = app.credentials(app.world.north, Role::Administrator).await;
        let analyst = app.caller(app.world.north, Role::Analyst).await;
        assert_eq!(add(&analyst, &strong, &Key::new()).await.code(), "FORBIDDEN");
        let above = app.credentials(app.world.organization, Role::Auditor).await;
        assert_eq!(add(&analyst, &above, &Key::new()).await.code(), "NOT_FOUND");
        let administrator = app.administrator(app.world.north).await;
        let held = add(&administrator, &strong, &Key::new()).await.field("addClientKey")["keys"][0]
            ["id"]
            .clone();
        assert_eq!(
            analyst.ask(REMOVE, json!({ "id": strong.id, "key": held })).await.code(),
            "FORBIDDEN"
        );
    }

    async fn last_credential_of_enabled_client_cannot_be_removed(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        let held =
            add(&administrator, &robot, &key).await.field("addClientKey")["keys"][0]["id"].clone();
        let secret =
            administrator.client(&robot.id, "{ secrets { id } }").await["secrets"][0]["id"].clone();
        let retire = "mutation($id: ID!, $secret: ID!) { retireClientSecret(id: $id, secretID: \
            $secret) { id } }";
        administrator.ask(retire, json!({ "id": robot.id, "secret": secret })).await.data();
        assert!(!app.works(&robot).await, "the key alone is enough from now on");
        assert_eq!(show(&app, &key.sign(&claims(&app, &robot, "1"))).await.status, 200);
        let remove = || administrator.ask(REMOVE, json!({ "id": robot.id, "key": held }));
        assert_eq!(remove().await.code(), "LAST_SECRET");
        let disable =
            "mutation($id: ID!) { updateClient(id: $id, input: { enabled: false }) { id } }";
        administrator.ask(disable, json!({ "id": robot.id })).await.data();
        assert_eq!(
            show(&app, &key.sign(&claims(&app, &robot, "2"))).await.status,
            401,
            "a disabled client gets nothing"
        );
        remove().await.data();
    }

    async fn client_key_changes_are_in_the_audit_log(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        let key = Key::new();
        let held = add(&administrator, &robot, &key).await.field("addClientKey")["keys"][0].clone();
        let document =
            "{ auditLog(operation: \"addClientKey\") { nodes { subject before after } } }";
        let record =
            administrator.ask(document, json!({})).await.field("auditLog")["nodes"][0].clone();
        assert_eq!((&record["subject"], &record["before"]["keys"]), (&json!(robot.id), &json!([])));
        assert_eq!(
            record["after"]["keys"],
            json!([{ "id": held["id"], "thumbprint": held["thumbprint"] }])
        );
    }

    async fn typed_key_equals_its_jwk(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let robot = administrator.create("robot", &[]).await;
        let key = Key::new();
        let jwk = key.jwk();
        let typed =
            json!({ "kty": "OKP", "crv": "ED25519", "x": jwk["x"], "kid": "mine", "alg": "EdDSA" });
        let document = "mutation($id: ID!, $input: AddClientKeyInput!) { createClientKey(id: $id,
            input: $input) {
            keys { id kid algorithm algorithmText } } }";
        let create = async |input: Value| {
            administrator.ask(document, json!({ "id": robot.id, "input": input })).await
        };
        for neither_or_both in [json!({}), json!({ "key": typed, "jwk": jwk })] {
            assert_eq!(create(neither_or_both).await.code(), "BAD_USER_INPUT");
        }
        let mut wrong = typed.clone();
        for alg in ["ES256", "UNKNOWN"] {
            wrong["alg"] = json!(alg);
            assert_eq!(create(json!({ "key": wrong })).await.code(), "BAD_USER_INPUT", "{alg}");
        }
        let wrong_curve = json!({ "key": { "kty": "OKP", "crv": "P_256", "x": jwk["x"] } });
        assert_eq!(create(wrong_curve).await.code(), "BAD_USER_INPUT");
        let made =
            create(json!({ "key": typed })).await.field("createClientKey")["keys"][0].clone();
        assert_eq!((&made["kid"], &made["algorithm"]), (&json!("mine"), &json!("EdDSA")));
        assert_eq!(made["algorithmText"], "EdDSA");
        assert_eq!(create(json!({ "jwk": jwk })).await.code(), "CONFLICT", "it is the same key");
        let delete = "mutation($id: ID!, $key: ID!) { deleteClientKey(id: $id, keyID: $key) { keys \
            { id } } }";
        let left = administrator.ask(delete, json!({ "id": robot.id, "key": made["id"] })).await;
        assert_eq!(left.field("deleteClientKey"), json!({ "keys": [] }));
    }
}

/// Sends all requests concurrently; returns their responses.
async fn futures_join<T>(asked: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = asked.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pending.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pending.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(answer) = future.as_mut().poll(context)
            {
                *done = Some(answer);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
