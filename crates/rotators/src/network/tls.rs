//! TLS with the certificates that the system trusts, and those of the configuration.

use rustls::{ClientConfig, RootCertStore};

use super::Network;
use crate::config::ConfigError;
use crate::tls::{certificates, provider};

/// A client that trusts the system's certificates and the network's own. With no certificate at
/// all it trusts nobody: plain http on loopback then still works, and https says so.
pub(crate) fn tls(network: &Network) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = &network.ca_certificates {
        for certificate in certificates("network.ca_certificates", pem)? {
            roots.add(certificate).map_err(|_| {
                ConfigError::new("network.ca_certificates", "holds a certificate that cannot be an authority")
            })?;
        }
    }
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|_| ConfigError::new("tls", "this build has no TLS version that is safe"))?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
