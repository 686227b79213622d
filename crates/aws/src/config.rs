//! The SDK's configuration.

use aws_config::{BehaviorVersion, SdkConfig, environment::EnvironmentVariableCredentialsProvider};

use crate::{
    http, timeouts,
    trust::{Roots, TrustError},
};

/// Settings for a program that people run or that runs in their images: region, credentials and
/// endpoints as AWS's own tools find them, and the machine's certificate authorities.
///
/// One HTTP client serves all services of a process. `AWS_CA_BUNDLE` may name a PEM file with the
/// certificate authorities to trust instead; fails if that file has none.
pub async fn load() -> Result<SdkConfig, TrustError> {
    let http = http::client(Roots::Machine.tls_context()?);
    Ok(aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts::of_programs())
        .load()
        .await)
}

/// As [`load`], for a function: with compiled-in certificate authorities, and with the credentials of its
/// role, which are in its environment.
///
/// Other places to look for credentials would cost a client of STS and one of the instance
/// metadata service at every cold start, used or not.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub async fn load_in_lambda() -> Result<SdkConfig, TrustError> {
    let http = http::client(Roots::CompiledIn.tls_context()?);
    Ok(aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts::of_functions())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .load()
        .await)
}
