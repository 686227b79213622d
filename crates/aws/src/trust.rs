//! The certificate authorities whose servers a process talks to.
//!
//! docs/adr/0007-compiled-in-certificate-authorities.md has the reasons.

use std::{env, fmt, fs, path::Path};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use thiserror::Error;

/// The setting of AWS's own tools: a PEM file with the authorities to trust, in place of all others.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// Mozilla's list, which the build script writes.
const COMPILED_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/roots.pem"));

/// The certificate authorities that a process trusts unless `AWS_CA_BUNDLE` names a file with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Mozilla's list as of the build, for functions: reading a machine's takes longer than all the
    /// rest of their start.
    CompiledIn,
    /// The machine's, for programs that people run: a company's proxy may be among them.
    Machine,
}

/// Says what is wrong with the file that `AWS_CA_BUNDLE` names.
#[derive(Error)]
#[error("{0}")]
pub struct TrustError(String);

/// For people too: a `main` that returns the error prints this.
impl fmt::Debug for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Roots {
    /// The authorities to trust in this process's environment.
    pub(crate) fn tls_context(self) -> Result<TlsContext, TrustError> {
        let bundle = env::var_os(BUNDLE).filter(|path| !path.is_empty());
        self.tls_context_with(bundle.as_deref().map(Path::new))
    }

    /// These authorities, or those of the bundle if there is one.
    pub(crate) fn tls_context_with(self, bundle: Option<&Path>) -> Result<TlsContext, TrustError> {
        let store = match (bundle, self) {
            (Some(path), _) => read_bundle(path).map_err(|reason| {
                TrustError(format!("{BUNDLE} is set to {}, {reason}", path.display()))
            })?,
            (None, Self::Machine) => TrustStore::default(),
            (None, Self::CompiledIn) => TrustStore::empty().with_pem_certificate(COMPILED_IN),
        };
        let context = TlsContext::builder().with_trust_store(store).build();
        context.map_err(|error| TrustError(error.to_string()))
    }
}

/// The usable certificates of a PEM file. Others are left out, as from the machine's store: bundles
/// carry old ones that no server uses.
fn read_bundle(path: &Path) -> Result<TrustStore, String> {
    let pem = fs::read(path).map_err(|error| format!("which cannot be read: {error}"))?;
    let mut certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("which is not a PEM file: {error}"))?;
    if certificates.is_empty() {
        return Err("which has no certificate in PEM format (BEGIN CERTIFICATE)".to_owned());
    }
    // The HTTP client panics at a certificate that it cannot use.
    certificates.retain(|one| RootCertStore::empty().add(one.clone()).is_ok());
    if certificates.is_empty() {
        return Err("which contains no CA certificate".to_owned());
    }
    Ok(certificates
        .iter()
        .fold(TrustStore::empty(), |store, certificate| {
            let body = BASE64_STANDARD.encode(certificate);
            store.with_pem_certificate(format!(
                "-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
            ))
        }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The HTTP client panics at its first request where one is not.
    #[test]
    fn all_that_is_compiled_in_is_usable() {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(COMPILED_IN) {
            roots.add(certificate.unwrap()).unwrap();
        }
        assert_eq!(roots.len(), webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
    }
}
