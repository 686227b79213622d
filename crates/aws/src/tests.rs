//! A server behind a certificate authority of its own, as a company's proxy is one.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use aws_config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_types::error::display::DisplayErrorContext;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tempfile::TempDir;

use crate::{http, trust::Roots};

/// What STS says to `GetCallerIdentity`.
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\nconnection: close\r\n\r\n\
    <GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::000000000000:root</Arn></GetCallerIdentityResult>\
    </GetCallerIdentityResponse>";

struct Server {
    endpoint: String,
    /// The certificate of its authority.
    authority: String,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut params = CertificateParams::default();
        // Else all authorities here would have one name.
        let name = format!("authority {port}");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let config = Arc::new(server_config(certificate.der().clone(), &key));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                // A client that does not trust the certificate hangs up.
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok_and(|length| length > 0) {
                    stream.write_all(ANSWER.as_bytes()).unwrap();
                    stream.conn.send_close_notify();
                    stream.flush().unwrap();
                }
            }
        });
        Self {
            endpoint: format!("https://localhost:{port}"),
            authority: authority.pem(),
        }
    }

    /// Calls it, trusting these authorities; fails with all that the SDK says.
    async fn call(&self, roots: Roots, bundle: Option<&Path>) -> Result<String, String> {
        let config = aws_config::SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http::client(roots.tls_context_with(bundle).unwrap()))
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "id", "secret", None, None, "test",
            )))
            .retry_config(RetryConfig::disabled())
            .endpoint_url(&self.endpoint)
            .build();
        aws_sdk_sts::Client::new(&config)
            .get_caller_identity()
            .send()
            .await
            .map(|caller| caller.arn.unwrap_or_default())
            .map_err(|error| DisplayErrorContext(error).to_string())
    }
}

fn server_config(certificate: CertificateDer<'static>, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap()
}

fn bundle(content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.pem");
    fs::write(&path, content).unwrap();
    (folder, path)
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let server = Server::start();
    for roots in [Roots::CompiledIn, Roots::Machine] {
        let refused = server.call(roots, None).await.unwrap_err();
        assert!(refused.contains("UnknownIssuer"), "{roots:?}: {refused}");
    }
}

#[tokio::test]
async fn the_bundle_s_authorities_are_trusted() {
    let server = Server::start();
    let (_folder, path) = bundle(&server.authority);
    for roots in [Roots::CompiledIn, Roots::Machine] {
        let caller = server.call(roots, Some(&path)).await.unwrap();
        assert_eq!(caller, "arn:aws:iam::000000000000:root", "{roots:?}");
    }
}

#[tokio::test]
async fn the_bundle_s_authorities_are_the_only_ones() {
    let (server, other) = (Server::start(), Server::start());
    let (_folder, path) = bundle(&other.authority);
    let refused = server.call(Roots::CompiledIn, Some(&path)).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("UnknownIssuer"), "{refused}");
}

#[test]
fn a_bundle_without_certificates_is_said_to_be_one() {
    let no_authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let cut_off = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    let cases = [
        ("", "which has no certificate in PEM format"),
        ("no certificate", "which has no certificate in PEM format"),
        (no_authority, "which contains no CA certificate"),
        (cut_off, "which is not a PEM file: "),
    ];
    for (content, reason) in cases {
        let (folder, path) = bundle(content);
        let error = Roots::CompiledIn.tls_context_with(Some(&path)).unwrap_err();
        let message = format!("AWS_CA_BUNDLE is set to {}, {reason}", path.display());
        assert!(error.to_string().starts_with(&message), "{error}");
        drop(folder);
        let error = Roots::Machine.tls_context_with(Some(&path)).unwrap_err();
        assert!(
            error.to_string().contains("which cannot be read"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_is_no_certificate_of_an_authority_is_left_out_of_a_bundle() {
    let useless = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let server = Server::start();
    let (_folder, path) = bundle(&format!("{useless}{}", server.authority));
    let called = server.call(Roots::CompiledIn, Some(&path)).await;
    assert!(called.is_ok(), "{called:?}");
}
