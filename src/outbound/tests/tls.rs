//! Verification of server certificates.

use opentelemetry_http::{HttpClient, Request};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::scripted_server::ok;
use super::*;

/// A server with a certificate for `127.0.0.1`, and the authority that signed it.
async fn behind_tls(name: &str) -> (ScriptedServer, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (serving(certificate, &key).await, authority.pem())
}

/// A server whose certificate is its own authority.
async fn signed_by_itself() -> (ScriptedServer, String) {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let pem = certificate.pem();
    (serving(certificate, &key).await, pem)
}

async fn serving(certificate: Certificate, key: &KeyPair) -> ScriptedServer {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    ScriptedServer::start_tls(|_, _| ok("secret"), TlsAcceptor::from(Arc::new(config))).await
}

fn secured(server: &ScriptedServer, ca_certificate: Option<String>) -> Endpoint {
    Endpoint { ca_certificate, ..endpoint(&server.url().replace("http:", "https:")) }
}

#[tokio::test]
async fn peer_is_told_that_an_idle_connection_ends() {
    let (server, authority) = behind_tls("127.0.0.1").await;
    let outbound = outbound();
    let route = route_to(secured(&server, Some(authority)));
    outbound.send(&operation(), &route, read("a")).await.unwrap();
    drop(outbound);
    until(|| server.closed() == 1).await;
    assert_eq!(server.torn(), 0);
}

#[tokio::test]
async fn authority_is_trusted_for_its_own_installation_only() {
    let (server, authority) = behind_tls("127.0.0.1").await;
    let outbound = outbound_by(Settings { retries: 0, ..settings() });
    let own = route_to(secured(&server, Some(authority)));
    assert_eq!(outbound.send(&operation(), &own, read("a")).await.unwrap().status, 200);
    let (_, foreign) = behind_tls("127.0.0.1").await;
    for ca_certificate in [None, Some(foreign)] {
        let upstream = UpstreamId(crate::ids::random_uuid(&SystemEntropy));
        let other = route_to(Endpoint { upstream, ..secured(&server, ca_certificate) });
        let failure = outbound.send(&operation(), &other, read("a")).await.unwrap_err();
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn self_signed_certificate_is_trusted_where_it_is_configured() {
    let (server, own) = signed_by_itself().await;
    let outbound = outbound_by(Settings { retries: 0, ..settings() });
    let route = route_to(secured(&server, Some(own)));
    assert_eq!(outbound.send(&operation(), &route, read("a")).await.unwrap().status, 200);
}

#[tokio::test]
async fn certificate_for_another_name_is_not_trusted() {
    let (server, authority) = behind_tls("manager.example").await;
    let route = route_to(secured(&server, Some(authority)));
    let failure = outbound().send(&operation(), &route, write("a")).await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
}

#[tokio::test]
async fn connections_of_an_older_revision_are_not_reused() {
    let (server, authority) = behind_tls("127.0.0.1").await;
    let outbound = outbound_by(Settings { retries: 0, ..settings() });
    let before = route_to(secured(&server, Some(authority)));
    outbound.send(&operation(), &before, read("a")).await.unwrap();
    let after = route_to(Endpoint { revision: 2, ..secured(&server, None) });
    assert!(outbound.send(&operation(), &after, read("a")).await.is_err());
    outbound.send(&operation(), &before, read("a")).await.unwrap();
    assert!(outbound.send(&operation(), &after, read("a")).await.is_err());
}

#[tokio::test]
async fn collector_is_trusted_by_the_certificates_of_its_authority_only() {
    let (server, authority) = behind_tls("127.0.0.1").await;
    let url = server.url().replace("http:", "https:");
    let (_, foreign) = behind_tls("127.0.0.1").await;
    let limit = Duration::from_secs(10);
    for (certificate, is_trusted) in
        [(Some(authority), true), (Some(foreign), false), (None, false)]
    {
        let client = CollectorClient::new(certificate.as_deref(), limit).unwrap();
        let request = Request::post(&url).body(Bytes::from_static(b"spans")).unwrap();
        assert_eq!(client.send_bytes(request).await.is_ok(), is_trusted);
    }
    assert!(CollectorClient::new(Some("no certificate"), limit).is_err());
}

#[test]
fn text_without_certificates_is_refused_naming_the_argument() {
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no certificate", empty] {
        let error = check_certificates("caCertificate", text).unwrap_err();
        assert!(error.message().starts_with("caCertificate: "), "{text}");
    }
}
