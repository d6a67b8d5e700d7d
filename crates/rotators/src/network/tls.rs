//! TLS with the certificates that the system trusts, and those of the configuration.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::Network;

/// Why no TLS can be spoken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("`network.ca_certificates` holds no certificate that can be read; give it as PEM")]
    Certificate,
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// A client that trusts the system's certificates and the network's own. With no certificate at
/// all it trusts nobody: plain http on loopback then still works, and https says so.
pub(crate) fn tls(network: &Network) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = &network.ca_certificates {
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| TlsError::Certificate)?;
            roots.add(certificate).map_err(|_| TlsError::Certificate)?;
            count += 1;
        }
        if count == 0 {
            return Err(TlsError::Certificate);
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
