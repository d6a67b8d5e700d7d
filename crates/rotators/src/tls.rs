//! TLS to targets: rustls with ring, the machine's roots or the target's own authority.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::config::ConfigError;

/// What is checked of a server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// That an authority which we trust vouches for this very host.
    Whole,
    /// That an authority which we trust vouches for it, whatever name it bears.
    Chain,
    /// Nothing: who can stand in between can read along.
    Nothing,
}

/// The provider of this process; drivers that build their own TLS take it from there.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let ring = || rustls::crypto::ring::default_provider();
    // Whoever comes second finds one; it is the same one.
    let _ = ring().install_default();
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring()))
}

/// The certificates in a PEM text.
pub(crate) fn certificates(field: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let wrong =
        || ConfigError::new(field, "must be certificates in PEM, each from -----BEGIN CERTIFICATE-----");
    let all: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(|_| wrong())?;
    if all.is_empty() { Err(wrong()) } else { Ok(all) }
}

/// How to talk TLS to a target whose authority is in `ca_pem`, or is one that this machine trusts.
pub(crate) fn client(check: Check, ca_pem: Option<&str>) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    match ca_pem {
        Some(pem) => {
            for certificate in certificates("ca_pem", pem)? {
                roots.add(certificate).map_err(|_| {
                    ConfigError::new("ca_pem", "holds a certificate that cannot be an authority")
                })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::new("tls", "this build has no TLS version that is safe"))?;
    if check == Check::Whole && !roots.is_empty() {
        return Ok(builder.with_root_certificates(roots).with_no_client_auth());
    }
    let chain = match check {
        Check::Nothing => None,
        Check::Whole | Check::Chain if roots.is_empty() => {
            return Err(ConfigError::new(
                "ca_pem",
                "this machine trusts no authority (no ca-certificates); give the target's own in PEM",
            ));
        }
        Check::Whole | Check::Chain => Some(
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .map_err(|_| ConfigError::new("ca_pem", "holds no authority that can be used"))?,
        ),
    };
    let verifier = Arc::new(Lenient { chain, provider });
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Checks less than rustls does, where the configuration says so (`require`, `verify-ca`).
#[derive(Debug)]
struct Lenient {
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last, after the chain.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
