//! The claims of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tenant_gateway::config::TokenAlgorithm;
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("a JWT has three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

both_databases! {
    async fn token_names_subject_audience_and_expiry(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let header = part(&robot.token, 0);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
        assert!(header["kid"].is_string());
        let claims = part(&robot.token, 1);
        let expected = json!({
            "iss": app.url,
            "sub": robot.id(),
            "aud": "tenant-gateway",
            "iat": app.now().seconds(),
            "exp": app.now().seconds() + 3600,
            "jti": claims["jti"],
            "client_id": robot.credentials.client_id,
            "scope": "graphql",
            "tenant_id": app.world.north,
            "https://missione/octolabs/io/tenantIds": app.world.north,
            "gen": 0,
        });
        assert_eq!(claims, expected);
        let other = app.token(&robot.credentials).await;
        assert_ne!(part(&other, 1)["jti"], claims["jti"]);
        assert!(!robot.token.contains('%'), "the SDK's cache breaks on it");
    }

    async fn token_lifetime_and_issuer_follow_the_settings(engine: Engine) {
        let app = TestApp::with(engine, |config| {
            config.server.public_url = Some("https://gateway.example".to_owned());
            config.tokens.audience = "partners".to_owned();
            config.tokens.lifetime = std::time::Duration::from_mins(5);
        })
        .await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let claims = part(&robot.token, 1);
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&json!("https://gateway.example"), &json!("partners"))
        );
        assert_eq!(claims["exp"], app.now().seconds() + 300);
        assert_eq!(robot.status().await, 200);
    }

    async fn a_token_ends(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Auditor).await;
        app.advance(3599);
        assert_eq!(robot.status().await, 200);
        app.advance(1);
        assert_eq!(robot.status().await, 401);
    }

    async fn signing_algorithm_follows_the_setting(engine: Engine) {
        for (algorithm, name) in [
            (TokenAlgorithm::Ed25519, "Ed25519"),
            (TokenAlgorithm::Es256, "ES256"),
            (TokenAlgorithm::Rs256, "RS256"),
        ] {
            let app = TestApp::with(engine, |config| config.tokens.algorithm = algorithm).await;
            let robot = app.caller(app.world.north, Role::Auditor).await;
            assert_eq!(part(&robot.token, 0)["alg"], name);
            assert_eq!(robot.status().await, 200);
            // A token verified before comes from the cache; this one is verified anew.
            assert_eq!(robot.at(&app.another_node().await.gateway).status().await, 200);
        }
    }
}
