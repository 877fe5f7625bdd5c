//! Throughput of the OAuth endpoints: `cargo bench --bench oauth`. Sends as many concurrent
//! requests over loopback as a busy partner; criterion reports requests per second. Client and
//! gateway share the machine.

#[allow(dead_code, reason = "each benchmark uses its part")]
mod support;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use reqwest::{Client, StatusCode};
use support::{Engine, Fixture};
use tenant_gateway::app::{App, Environment, Listeners};
use tenant_gateway::config::TokenAlgorithm;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The number of concurrent requests.
const AT_ONCE: u64 = 32;

const ALGORITHMS: [(TokenAlgorithm, &str); 3] = [
    (TokenAlgorithm::EdDsa, "EdDSA"),
    (TokenAlgorithm::Es256, "ES256"),
    (TokenAlgorithm::Rs256, "RS256"),
];

/// A serving gateway and its HTTP client.
#[derive(Clone)]
struct Served {
    address: SocketAddr,
    http: Client,
    basic: String,
}

impl Served {
    async fn by(fixture: &Fixture, algorithm: TokenAlgorithm) -> Self {
        let mut config = fixture.config.clone();
        config.tokens.algorithm = algorithm;
        config.server.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.admin.listen = None;
        let listeners = Listeners::bind(&config).await.expect("a free port");
        let address = listeners.listen;
        let app = App::build(&config, listeners.issuer(&config), Environment::default())
            .await
            .expect("it starts");
        tokio::spawn(async move { app.serve(&config, listeners, std::future::pending()).await });
        let pair = format!("{}:{}", fixture.administrator.client_id, fixture.secret);
        Self { address, http: Client::new(), basic: format!("Basic {}", STANDARD.encode(pair)) }
    }

    async fn post(&self, path: &str, body: String) -> String {
        let request = self.http.post(format!("http://{}{path}", self.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request
            .header("authorization", &self.basic)
            .body(body)
            .send()
            .await
            .expect("it answers");
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.expect("it answers in full")
    }

    async fn token(&self) -> String {
        let answer = self.post("/oauth2/token", "grant_type=client_credentials".to_owned()).await;
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// Sends a number of requests, each with its own body.
    async fn at_once(&self, path: &'static str, bodies: Vec<String>) {
        let mut asked: JoinSet<String> = JoinSet::new();
        for body in bodies {
            let served = self.clone();
            asked.spawn(async move { served.post(path, body).await });
        }
        asked.join_all().await;
    }
}

fn repeated(body: &str) -> Vec<String> {
    (0..AT_ONCE).map(|_| body.to_owned()).collect()
}

fn tokens(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("oauth/token");
    group.throughput(Throughput::Elements(AT_ONCE));
    for (algorithm, name) in ALGORITHMS {
        // Its own fixture: beside a key of another algorithm, a new key would wait until all nodes
        // know it.
        let fixture = runtime.block_on(Fixture::with_clients(Engine::Sqlite, 1));
        let served = runtime.block_on(Served::by(&fixture, algorithm));
        group.bench_function(name, |bencher| {
            let bodies = || repeated("grant_type=client_credentials");
            bencher
                .to_async(&runtime)
                .iter(async || served.at_once("/oauth2/token", bodies()).await);
        });
    }
}

fn inquiries(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("oauth");
    group.throughput(Throughput::Elements(AT_ONCE));
    for engine in Engine::ALL {
        let fixture = runtime.block_on(Fixture::with_clients(engine, 1));
        let served = runtime.block_on(Served::by(&fixture, TokenAlgorithm::EdDsa));
        let token = runtime.block_on(served.token());
        group.bench_function(format!("introspect/{}", engine.name()), |bencher| {
            let bodies = || repeated(&format!("token={token}"));
            bencher
                .to_async(&runtime)
                .iter(async || served.at_once("/oauth2/introspect", bodies()).await);
        });
        group.bench_function(format!("revoke/{}", engine.name()), |bencher| {
            bencher.to_async(&runtime).iter_custom(async |rounds| {
                let mut spent = Duration::ZERO;
                for _ in 0..rounds {
                    let mut bodies = Vec::new();
                    for _ in 0..AT_ONCE {
                        bodies.push(format!("token={}", served.token().await));
                    }
                    let began = Instant::now();
                    served.at_once("/oauth2/revoke", bodies).await;
                    spent += began.elapsed();
                }
                spent
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = tokens, inquiries
}
criterion_main!(benches);
