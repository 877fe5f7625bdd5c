//! The installations of legacy systems.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rcgen::{Certificate, CertificateParams, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tenant_gateway::clock::{Clock, SystemClock};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{assert_found, examine};
use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Engine, OnEngine};

const PRIVATE: (&str, &str) = ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true");

/// A certificate of its own authority for 127.0.0.1 that ends in that year.
fn certificate(end: i32) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    parameters.not_before = date_time_ymd(2001, 1, 1);
    parameters.not_after = date_time_ymd(end, 1, 1);
    let certificate = parameters.self_signed(&key).unwrap();
    (certificate, key)
}

/// The same, which ends in a week.
fn ending_soon() -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let end = SystemClock.now().plus(Duration::from_hours(24 * 7)).seconds();
    parameters.not_after = (UNIX_EPOCH + Duration::from_secs(end.unsigned_abs())).into();
    let certificate = parameters.self_signed(&key).unwrap();
    (certificate, key)
}

/// Serves handshakes with the certificate; returns the base URL.
async fn serve_tls((certificate, key): &(Certificate, KeyPair)) -> String {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // Clients that do not trust the certificate break off.
            tokio::spawn(async move { acceptor.accept(stream).await.ok() });
        }
    });
    format!("https://{address}/api")
}

async fn register(caller: &Caller, name: &str, url: &str, authority: Option<String>) {
    let document = "mutation($input: RegisterUpstreamInput!) {
        registerUpstream(input: $input) { id } }";
    let input = json!({
        "name": name,
        "system": "DEEP_SECURITY",
        "baseURL": url,
        "credential": { "secretKey": "2:registered-for-doctor" },
        "caCertificate": authority,
    });
    caller.ask(document, json!({ "input": input })).await.data();
}

/// The findings of the installation with that name.
fn about(findings: &[Value], name: &str) -> Vec<Value> {
    let start = format!("{name} (");
    let found = findings.iter().filter(|one| one["detail"].as_str().unwrap().starts_with(&start));
    found.cloned().collect()
}

async fn examined(deployment: &Deployment) -> (Option<i32>, Vec<Value>) {
    let mut command = deployment.command(&["doctor"]);
    command.env(PRIVATE.0, PRIVATE.1);
    tokio::task::spawn_blocking(move || examine(&mut command)).await.unwrap()
}

async fn started() -> (Deployment, Process, Caller) {
    let deployment = Deployment::on(Engine::Sqlite).await;
    let administrator = deployment.init();
    let process = deployment.serve_with(&[PRIVATE]).await;
    let caller = process.log_in(administrator).await;
    (deployment, process, caller)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_judged_by_their_end_and_their_authority() {
    let (deployment, _process, caller) = started().await;
    let good = certificate(4000);
    let ending = ending_soon();
    let expired = certificate(2002);
    for (name, served, trusted) in [
        ("good", &good, Some(good.0.pem())),
        ("ending", &ending, Some(ending.0.pem())),
        ("expired", &expired, Some(expired.0.pem())),
        ("untrusted", &good, None),
    ] {
        register(&caller, name, &serve_tls(served).await, trusted).await;
    }
    let (status, findings) = examined(&deployment).await;
    assert_eq!(status, Some(1));
    assert_found(&about(&findings, "good"), "upstream", "ok", &["valid until 4000-01-01"]);
    assert_found(&about(&findings, "ending"), "upstream", "warning", &["renew the certificate"]);
    assert_found(&about(&findings, "expired"), "upstream", "failed", &["xpired", "renew"]);
    assert_found(&about(&findings, "untrusted"), "upstream", "failed", &["caCertificate"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unreachable_and_unresolvable_installations_are_told_apart() {
    let (deployment, _process, caller) = started().await;
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("http://{}/api", plain.local_addr().unwrap());
    register(&caller, "closed", "https://127.0.0.1:1/api", None).await;
    register(&caller, "nameless", "https://manager.invalid/api", None).await;
    let (status, findings) = examined(&deployment).await;
    assert_eq!(status, Some(1));
    assert_found(&about(&findings, "closed"), "upstream", "failed", &["refused", "firewalls"]);
    assert_found(&about(&findings, "nameless"), "upstream", "failed", &["manager.invalid", "DNS"]);
    register(&caller, "plain", &plain, None).await;
    let (_, findings) = examine(&mut deployment.command(&["doctor"]));
    let parts = ["upstream.allow_private_addresses"];
    assert_found(&about(&findings, "plain"), "upstream", "failed", &parts);
}

/// The handshake of a server that accepts and stays silent would take 5 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn examination_ends_at_its_timeout() {
    let (deployment, _process, caller) = started().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/api", silent.local_addr().unwrap());
    register(&caller, "silent", &url, None).await;
    let mut command = deployment.command(&["doctor", "--timeout", "2"]);
    command.env(PRIVATE.0, PRIVATE.1);
    let examination = tokio::task::spawn_blocking(move || examine(&mut command));
    let (_, findings) = examination.await.unwrap();
    let parts = ["1 of 1 installations", "--timeout"];
    assert_found(&findings, "upstream", "warning", &parts);
}
