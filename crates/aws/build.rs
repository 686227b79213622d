//! Writes the compiled-in certificate authorities as PEM, the only form that the HTTP client takes.
//! Encoding them at run time would be a quarter of the instructions of a function's init.

use std::{env, fs, io, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    let mut pem = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        pem.push_str(&BASE64_STANDARD.encode(certificate));
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    fs::write(Path::new(&folder).join("roots.pem"), pem)
}
