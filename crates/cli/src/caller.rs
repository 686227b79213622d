//! The caller's identity, and the time by AWS's clock.

use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_sdk_sts::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::BeforeDeserializationInterceptorContextRef,
    },
    error::BoxError,
};
use dropcast_domain::registry::AuditStamp;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use crate::{
    clock,
    exit::{CliError, Exit, REACH_ADVICE, join_causes},
};

/// How far this machine's clock may differ from AWS's before AWS's is used: responses give whole
/// seconds, and take some time to arrive.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(2);

/// The caller of this command.
#[derive(Debug, PartialEq, Eq)]
pub struct Caller {
    /// The ARN of the credentials.
    pub arn: String,
    /// The current time. Uploads are timed by S3's clock, so a change of the default version is
    /// timed by AWS's clock too.
    pub now: Timestamp,
}

impl Caller {
    /// Asks AWS STS.
    pub async fn identify(config: &SdkConfig) -> Result<Self, CliError> {
        let date = ResponseDate::default();
        let answer = aws_sdk_sts::Client::new(config)
            .get_caller_identity()
            .customize()
            .interceptor(date.clone())
            .send()
            .await
            .map_err(|error| {
                let message = format!("AWS could not identify you: {}.", join_causes(&error));
                CliError::new(Exit::NoStack, message).advice(REACH_ADVICE)
            })?;
        Ok(Self {
            arn: answer.arn.unwrap_or_default(),
            now: choose_time(clock::now(), date.time()),
        })
    }

    /// The author and time of a change that is made now.
    pub fn audit_stamp(&self) -> AuditStamp<'_> {
        AuditStamp {
            by: Some(&self.arn),
            at: self.now,
        }
    }
}

/// This machine's time, or AWS's if the two differ.
fn choose_time(ours: Timestamp, aws: Option<Timestamp>) -> Timestamp {
    match aws {
        Some(aws) if ours.duration_since(aws).abs() > MAX_CLOCK_SKEW => aws,
        _ => ours,
    }
}

/// Keeps the `Date` header of a response.
#[derive(Debug, Clone, Default)]
struct ResponseDate(Arc<Mutex<Option<Timestamp>>>);

impl ResponseDate {
    fn time(&self) -> Option<Timestamp> {
        *self.0.lock().ok()?
    }
}

impl Intercept for ResponseDate {
    fn name(&self) -> &'static str {
        "Date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let time = date.and_then(|date| rfc2822::parse(date).ok());
        if let (Some(time), Ok(mut stored)) = (time, self.0.lock()) {
            *stored = Some(time.timestamp());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dropcast_test_support::{
        http::{Response, Server},
        sdk_config,
    };

    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_not_gone_by() {
        let aws: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let late = SignedDuration::from_mins(5);
        assert_eq!(choose_time(aws + late, Some(aws)), aws);
        assert_eq!(choose_time(aws - late, Some(aws)), aws);
        let near = aws + SignedDuration::from_millis(1_300);
        assert_eq!(choose_time(near, Some(aws)), near);
        assert_eq!(choose_time(near, None), near);
    }

    #[tokio::test]
    async fn the_time_is_what_the_answer_says() {
        let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/ana</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
        let date = ("Date", "Thu, 01 Jan 2026 12:00:00 GMT");
        let server = Server::start([Response::with_headers("200 OK", &[date], body)]);
        let caller = Caller::identify(&sdk_config(server.endpoint()))
            .await
            .unwrap();
        assert_eq!(caller.arn, "arn:aws:iam::111122223333:user/ana");
        assert_eq!(caller.now, "2026-01-01T12:00:00Z".parse().unwrap());
    }
}
