//! Forged tokens, all refused with the same message.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway::seal::MasterKey;

use crate::support::{Caller, TestApp, both_databases};

/// The gateway's own signing key, read from the database with the master key.
struct Key {
    id: uuid::Uuid,
    public: Vec<u8>,
    private: Vec<u8>,
}

async fn own_key(app: &TestApp) -> Key {
    let reader = app.operator.database.reader();
    let select = Statement::from_string(
        reader.get_database_backend(),
        "SELECT id, public_jwk, sealed_private_key FROM signing_keys",
    );
    let row = reader.query_one_raw(select).await.unwrap().unwrap();
    let id: uuid::Uuid = row.try_get("", "id").unwrap();
    let jwk: Value =
        serde_json::from_str(&row.try_get::<String>("", "public_jwk").unwrap()).unwrap();
    let public = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let sealed: Vec<u8> = row.try_get("", "sealed_private_key").unwrap();
    let master = MasterKey::parse(&app.database.master_key).unwrap();
    Key { id, public, private: master.open(&format!("signing_key:{id}"), &sealed).unwrap() }
}

fn parts(token: &str) -> (Value, Value) {
    let part = |at| {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(at).unwrap()).unwrap())
            .unwrap()
    };
    (part(0), part(1))
}

fn changed(of: &Value, name: &str, value: Value) -> Value {
    let mut changed = of.clone();
    changed[name] = value;
    changed
}

fn without(of: &Value, name: &str) -> Value {
    let mut changed = of.clone();
    changed.as_object_mut().unwrap().remove(name);
    changed
}

fn encoded(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// Signs with this Ed25519 key, whatever algorithm the header names.
fn signed(pkcs8: &[u8], header: &Value, claims: &Value) -> String {
    let signed = encoded(header, claims);
    let key = Ed25519KeyPair::from_pkcs8(pkcs8).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())))
}

async fn all_are_refused(caller: &Caller, forgeries: Vec<(&str, String)>) {
    let mut with_token = caller.clone();
    with_token.token = "rubbish".to_owned();
    let expected = with_token.ask("{ __typename }", json!({})).await;
    assert_eq!((expected.status, expected.code()), (401, "UNAUTHENTICATED"));
    for (what, forgery) in forgeries {
        with_token.token = forgery;
        assert_eq!(
            with_token.ask("{ __typename }", json!({})).await.learnt(),
            expected.learnt(),
            "{what}"
        );
    }
    assert_eq!(caller.status().await, 200);
}

both_databases! {
    async fn token_signed_by_own_key_is_accepted(app: TestApp) {
        let mut robot = app.caller(app.world.north, Role::Auditor).await;
        let key = own_key(&app).await;
        let (header, claims) = parts(&robot.token);
        robot.token = signed(
            &key.private,
            &header,
            &changed(&claims, "jti", json!("00000000-0000-4000-8000-000000000001")),
        );
        assert_eq!(robot.status().await, 200, "otherwise the refusals below prove nothing");
    }

    async fn token_header_does_not_choose_the_algorithm(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let key = own_key(&app).await;
        let (header, claims) = parts(&robot.token);
        let mut forgeries = Vec::new();
        for none in ["none", "None", "NONE", "nOnE"] {
            let unsigned = encoded(&changed(&header, "alg", json!(none)), &claims);
            forgeries.push(("alg none", format!("{unsigned}.")));
            forgeries.push((
                "alg none with a \
                    signature",
                format!("{unsigned}.{}", robot.token.rsplit('.').next().unwrap()),
            ));
        }
        for (what, secret) in [
            ("the public key as HMAC secret", key.public.clone()),
            ("its text as HMAC secret", URL_SAFE_NO_PAD.encode(&key.public).into_bytes()),
        ] {
            for algorithm in [Algorithm::HS256, Algorithm::HS512] {
                let mut header = Header::new(algorithm);
                (header.typ, header.kid) = (Some("at+jwt".to_owned()), Some(key.id.to_string()));
                forgeries.push((
                    what,
                    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret))
                        .unwrap(),
                ));
            }
        }
        for algorithm in ["ES256", "RS256", "HS256", "EdDSA2", ""] {
            forgeries.push((
                "another alg over a true signature",
                signed(&key.private, &changed(&header, "alg", json!(algorithm)), &claims),
            ));
        }
        all_are_refused(&robot, forgeries).await;
    }

    async fn only_own_signing_keys_verify_tokens(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let key = own_key(&app).await;
        let (header, claims) = parts(&robot.token);
        let foreign = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let public = aws_lc_rs::signature::KeyPair::public_key(
            &Ed25519KeyPair::from_pkcs8(foreign.as_ref()).unwrap(),
        )
        .as_ref()
        .to_vec();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(public) });
        let sign = |header: &Value| signed(foreign.as_ref(), header, &claims);
        let mut forgeries = vec![
            ("a foreign key under our kid", sign(&header)),
            ("a foreign key in the header", sign(&changed(&header, "jwk", jwk))),
            (
                "a foreign key by address",
                sign(&changed(&header, "jku", json!("http://127.0.0.1:1/jwks"))),
            ),
            ("no kid", signed(&key.private, &without(&header, "kid"), &claims)),
        ];
        for kid in ["00000000-0000-4000-8000-000000000000", "../../master.key", "' OR 1=1 --", ""] {
            forgeries.push((
                "another kid",
                signed(&key.private, &changed(&header, "kid", json!(kid)), &claims),
            ));
        }
        all_are_refused(&robot, forgeries).await;
    }

    async fn claims_cannot_be_altered(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let strong = app.administrator(app.world.north).await;
        let key = own_key(&app).await;
        let (header, claims) = parts(&robot.token);
        let signature = robot.token.rsplit('.').next().unwrap();
        let altered = encoded(&header, &changed(&claims, "sub", json!(strong.id())));
        let cut = robot.token[..robot.token.len() - 8].to_owned();
        let now = app.now().seconds();
        let sign = |claims: Value| signed(&key.private, &header, &claims);
        let retyped = |typ: Value| signed(&key.private, &changed(&header, "typ", typ), &claims);
        all_are_refused(
            &robot,
            vec![
                ("an altered claim", format!("{altered}.{signature}")),
                ("a cut signature", cut),
                ("no signature", format!("{}.", robot.token.rsplit_once('.').unwrap().0)),
                ("a fourth part", format!("{}.x", robot.token)),
                ("ended", sign(changed(&claims, "exp", json!(now)))),
                ("without an end", sign(without(&claims, "exp"))),
                ("from the future", sign(changed(&claims, "iat", json!(now + 61)))),
                ("for another", sign(changed(&claims, "aud", json!("another")))),
                ("for nobody", sign(without(&claims, "aud"))),
                (
                    "of an unknown \
                    client",
                    sign(changed(&claims, "sub", json!("00000000-0000-4000-8000-000000000000"))),
                ),
                ("of an older generation", sign(changed(&claims, "gen", json!(-1)))),
                ("an ID token", retyped(json!("JWT"))),
                ("of no type", retyped(Value::Null)),
            ],
        )
        .await;
    }

    async fn token_of_another_issuer_is_refused(engine: Engine) {
        let app = TestApp::with(engine, |config| {
            config.server.public_url = Some("https://gateway.example".to_owned());
        })
        .await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let key = own_key(&app).await;
        let (header, claims) = parts(&robot.token);
        let foreign = signed(
            &key.private,
            &header,
            &changed(&claims, "iss", json!("https://another.example")),
        );
        all_are_refused(&robot, vec![("another issuer", foreign)]).await;
    }
}
