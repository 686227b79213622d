//! The S3 client.

use aws_sdk_s3::{
    Client,
    config::{RequestChecksumCalculation, retry::RetryConfig},
};

use crate::error::JobError;

/// Tries of one request. A burst of uploads under a new prefix is answered with "slow down"
/// until S3 has split it, so more than the SDK's three.
const TRIES: u32 = 6;

/// Builds the client from the environment: region, credentials and endpoint come from where AWS's
/// own tools take them.
pub(crate) async fn connect() -> Result<Client, JobError> {
    let loaded = dropcast_aws::load().await;
    let shared = loaded.map_err(|error| JobError::Usage(error.to_string()))?;
    if shared.region().is_none() {
        return Err(JobError::Usage(
            "no AWS region is set; set AWS_REGION".to_owned(),
        ));
    }
    let config = aws_sdk_s3::config::Builder::from(&shared)
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
        // Every upload carries its SHA-256; a second checksum would cost a pass for nothing.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .build();
    Ok(Client::from_conf(config))
}
