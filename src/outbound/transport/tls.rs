//! TLS towards upstreams. Certificates are always verified.

use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::{Error, Result};

/// Checks that a text consists of PEM certificates that can serve as trust anchors.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument`.
pub fn check_certificates(argument: &str, pem: &str) -> Result<()> {
    authorities(pem)
        .map(drop)
        .map_err(|_| Error::bad_input(argument, "must be one or more certificates in PEM"))
}

/// The TLS configuration for an installation with CA certificates of its own, or else for one whose
/// certificate a public authority signed.
///
/// # Errors
/// The reason why the certificates cannot be read.
pub(in crate::outbound) fn client_config(
    ca_certificate: Option<&str>,
) -> Result<ClientConfig, String> {
    static PUBLIC: OnceLock<ClientConfig> = OnceLock::new();
    match ca_certificate {
        Some(pem) => authorities(pem).map(trusting),
        None => {
            let public = || RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            Ok(PUBLIC.get_or_init(|| trusting(public())).clone())
        }
    }
}

fn authorities(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate =
            certificate.map_err(|error| format!("invalid PEM certificate: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("certificate cannot be a trust anchor: {error}"))?;
    }
    if roots.is_empty() { Err("no certificate found".to_owned()) } else { Ok(roots) }
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
