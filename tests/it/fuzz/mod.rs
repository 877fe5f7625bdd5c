//! Random requests: never an internal error, always a response in the documented form.

mod words;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use tenant_gateway::error::ErrorCode;
use tenant_gateway::roles::Role;

use crate::support::{Engine, OnEngine, TestApp, raw};
use words::{FORM_WORDS, GRAPHQL_WORDS, WITH_TEXT};

const CASES: u32 = 400;

/// A fixed seed, so that every run has the same cases.
fn runner() -> TestRunner {
    // Shrinking a failed case prints a stack trace for each attempt.
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Runs a property over requests against a gateway.
fn always<S: Strategy>(
    engine: Engine,
    request: S,
    property: impl AsyncFn(&TestApp, &str, S::Value),
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (app, token) = runtime.block_on(async {
        let app = TestApp::on(engine).await;
        let token = app.administrator(app.world.north).await.token;
        app.credentials(app.world.north, Role::Auditor).await;
        (app, token)
    });
    let outcome = runner().run(&request, |request| {
        runtime.block_on(property(&app, &token, request));
        Ok(())
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}

/// A valid header value.
fn header() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8, Just(b'\t')], 0..60)
}

fn words(words: &'static [&'static str], rubbish: bool) -> impl Strategy<Value = Vec<u8>> {
    let word = select(words).prop_map(|word| word.as_bytes().to_vec());
    let weight = u32::from(rubbish);
    vec(prop_oneof![8 => word, weight => vec(any::<u8>(), 0..6)], 0..40)
        .prop_map(|words| words.concat())
}

fn request(path: &str, headers: &[(&str, Vec<u8>)], body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    )
    .into_bytes();
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: ").as_bytes());
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request.extend_from_slice(body);
    request
}

/// Expects the documented form of a response of the token endpoint.
async fn is_an_oauth_answer(app: &TestApp, request: &[u8]) {
    let (status, body) = raw::exchange(app.address, request).await.expect("an answer");
    assert!(
        (400..500).contains(&status)
            && body["error"].is_string()
            && body["error_description"].is_string(),
        "{status} {body}"
    );
}

/// Expects the documented form of a response of the GraphQL endpoint.
async fn is_a_graphql_answer(app: &TestApp, request: &[u8]) {
    let (status, body) = raw::exchange(app.address, request).await.expect("an answer");
    assert!(status < 500 && body.is_object(), "{status} {body}");
    let errors =
        body.get("errors").map(|errors| errors.as_array().expect("a list of errors").clone());
    assert!(
        body.get("data").is_some() || errors.as_ref().is_some_and(|errors| !errors.is_empty()),
        "{status} \
        {body}"
    );
    for error in errors.into_iter().flatten() {
        let code = error["extensions"]["code"].as_str().expect("a code");
        let extensions = &error["extensions"];
        assert!(
            ErrorCode::ALL.iter().any(|known| known.as_str() == code)
                && code != "INTERNAL_SERVER_ERROR",
            "{error}"
        );
        assert!(
            extensions["requestId"].is_string()
                && extensions["retryable"].is_boolean()
                && error["message"].is_string(),
            "{error}"
        );
    }
}

fn bearer(token: &str) -> (&'static str, Vec<u8>) {
    ("Authorization", format!("Bearer {token}").into_bytes())
}

fn token_requests(engine: Engine) {
    use base64::Engine as _;
    let basic = vec(any::<u8>(), 0..80).prop_map(|pair| {
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)).into_bytes()
    });
    let authorization = prop_oneof![Just(None), header().prop_map(Some), basic.prop_map(Some)];
    let form = Just(b"application/x-www-form-urlencoded".to_vec());
    let body = prop_oneof![vec(any::<u8>(), 0..300), words(FORM_WORDS, true)];
    always(
        engine,
        (authorization, prop_oneof![4 => form, 1 => header()], body),
        async |app, _, (authorization, media_type, body)| {
            let mut headers = vec![("Content-Type", media_type)];
            headers.extend(authorization.map(|value| ("Authorization", value)));
            is_an_oauth_answer(app, &request("/oauth2/token", &headers, &body)).await;
        },
    );
}

fn graphql_requests(engine: Engine) {
    let document = words(GRAPHQL_WORDS, false).prop_map(|document| {
        json!({ "query": String::from_utf8_lossy(&document) }).to_string().into_bytes()
    });
    let json =
        &["{", "}", "\"query\"", ":", "\"{a}\"", "null", "[", "]", ",", "1", "\"variables\""];
    let body = prop_oneof![
        2 => vec(any::<u8>(), 0..300),
        6 => document,
        1 => words(json, true),
    ];
    let media_type = prop_oneof![6 => Just(b"application/json".to_vec()), 1 => header()];
    let other = prop_oneof![4 => Just(None), 1 => header().prop_map(Some)];
    always(
        engine,
        (media_type, other.clone(), other.clone(), other, body),
        async |app, token, (media_type, tenant, accept, id, body)| {
            let mut headers = vec![bearer(token), ("Content-Type", media_type)];
            let others = [("X-Tenant-Context", tenant), ("Accept", accept), ("X-Request-Id", id)];
            headers.extend(others.into_iter().filter_map(|(name, value)| Some((name, value?))));
            is_a_graphql_answer(app, &request("/graphql", &headers, &body)).await;
        },
    );
}

fn texts_in_variables(engine: Engine) {
    let text = prop_oneof![
            any::<String>(),
            "[\\x00-\\x7f]{0,12}",
            select(
                &[
                    "\0",
                    "a\0b",
                    "%",
                    "\u{10ffff}",
                    "9999-12-31T23:59:59Z",
                    "-009999-01-01T00:00:00Z"
                ][..]
            )
            .prop_map(str::to_owned)
        ];
    let variables = (text.clone(), vec(text.clone(), 0..4), text.clone(), text, any::<i32>());
    always(
        engine,
        (select(WITH_TEXT), variables),
        async |app, token, (document, (a, b, c, d, e))| {
            let variables: Value = json!({ "a": a, "b": b, "c": c, "d": d, "e": e });
            let body = json!({ "query": document, "variables": variables }).to_string();
            let headers = [bearer(token), ("Content-Type", b"application/json".to_vec())];
            is_a_graphql_answer(app, &request("/graphql", &headers, body.as_bytes())).await;
        },
    );
}

macro_rules! fuzzed {
    ($($name:ident: $what:ident;)*) => {$(
        mod $name {
            #[test]
            fn sqlite() {
                super::$what(super::Engine::Sqlite);
            }

            #[test]
            fn postgres() {
                super::$what(super::Engine::Postgres);
            }
        }
    )*};
}

fuzzed! {
    any_token_request_is_answered_in_form: token_requests;
    any_graphql_request_is_answered_in_form: graphql_requests;
    any_text_in_a_variable_is_answered_in_form: texts_in_variables;
}
