//! The authorization server's metadata and published keys (RFC 8414, RFC 7517).

use serde_json::json;

use super::asking::jwks;
use crate::support::{TestApp, both_databases};

const PATHS: [&str; 2] = ["oauth-authorization-server", "openid-configuration"];

both_databases! {
    async fn both_metadata_paths_agree(app: TestApp) {
        let mut documents = Vec::new();
        for path in PATHS {
            let answer = app.send(app.http.get(format!("{}/.well-known/{path}", app.url))).await;
            assert_eq!(
                (answer.status, answer.header("cache-control")),
                (200, Some("public, max-age=300"))
            );
            documents.push(answer.body);
        }
        assert_eq!(documents[0], documents[1]);
        assert_eq!(documents[0]["issuer"], json!(app.url));
    }

    async fn public_url_is_issuer_and_metadata_path_includes_its_path(engine: Engine) {
        let app = TestApp::with(engine, |config| {
            config.server.public_url = Some("https://gateway.example/security".to_owned());
        })
        .await;
        for path in ["oauth-authorization-server/security", "openid-configuration"] {
            let answer = app.send(app.http.get(format!("{}/.well-known/{path}", app.url))).await;
            assert_eq!(answer.body["issuer"], "https://gateway.example/security");
            assert_eq!(
                answer.body["token_endpoint"],
                "https://gateway.example/security/oauth2/token"
            );
        }
        let foreign =
            app.http.get(format!("{}/.well-known/oauth-authorization-server/another", app.url));
        assert_eq!(app.send(foreign).await.status, 404);
    }

    async fn published_keys_are_public_and_cacheable_for_the_set_time(engine: Engine) {
        let app = TestApp::with(engine, |config| {
            config.tokens.jwks_max_age = std::time::Duration::from_mins(2);
            config.tokens.algorithm = tenant_gateway::config::TokenAlgorithm::Rs256;
        })
        .await;
        let answer = app.send(app.http.get(format!("{}/.well-known/jwks.json", app.url))).await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=120"));
        for key in jwks(&app).await {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        }
    }
}
