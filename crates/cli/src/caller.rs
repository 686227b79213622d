//! Who does something, and when, in AWS's words.

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
    exit::{Exit, REACH_ADVICE, Stop, causes},
};

/// How far the clock of this machine may be from AWS's until AWS's counts: its answers tell whole
/// seconds, and take their time.
const CLOSE_ENOUGH: SignedDuration = SignedDuration::from_secs(2);

/// Whoever runs this command.
#[derive(Debug, PartialEq, Eq)]
pub struct Caller {
    /// The ARN of the credentials at hand.
    pub arn: String,
    /// The present time. Uploads are timed by S3's clock, so a change of what uploads get is timed by
    /// AWS's too.
    pub now: Timestamp,
}

impl Caller {
    /// Asks AWS.
    pub async fn ask(config: &SdkConfig) -> Result<Self, Stop> {
        let date = Date::default();
        let answer = aws_sdk_sts::Client::new(config)
            .get_caller_identity()
            .customize()
            .interceptor(date.clone())
            .send()
            .await
            .map_err(|error| {
                let message = format!("AWS does not say who you are: {}.", causes(&error));
                Stop::new(Exit::NoStack, message).advice(REACH_ADVICE)
            })?;
        Ok(Self {
            arn: answer.arn.unwrap_or_default(),
            now: settled(clock::now(), date.told()),
        })
    }

    /// Something that they do now.
    pub fn act(&self) -> AuditStamp<'_> {
        AuditStamp {
            by: Some(&self.arn),
            at: self.now,
        }
    }
}

/// The time to go by: our own, unless AWS's is another.
fn settled(ours: Timestamp, aws: Option<Timestamp>) -> Timestamp {
    match aws {
        Some(aws) if ours.duration_since(aws).abs() > CLOSE_ENOUGH => aws,
        _ => ours,
    }
}

/// Keeps the time that an answer bears.
#[derive(Debug, Clone, Default)]
struct Date(Arc<Mutex<Option<Timestamp>>>);

impl Date {
    fn told(&self) -> Option<Timestamp> {
        *self.0.lock().ok()?
    }
}

impl Intercept for Date {
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
        if let (Some(time), Ok(mut told)) = (time, self.0.lock()) {
            *told = Some(time.timestamp());
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
        assert_eq!(settled(aws + late, Some(aws)), aws);
        assert_eq!(settled(aws - late, Some(aws)), aws);
        let near = aws + SignedDuration::from_millis(1_300);
        assert_eq!(settled(near, Some(aws)), near);
        assert_eq!(settled(near, None), near);
    }

    #[tokio::test]
    async fn the_time_is_what_the_answer_says() {
        let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/ana</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";
        let date = ("Date", "Thu, 01 Jan 2026 12:00:00 GMT");
        let server = Server::start([Response::with_headers("200 OK", &[date], body)]);
        let caller = Caller::ask(&sdk_config(server.endpoint())).await.unwrap();
        assert_eq!(caller.arn, "arn:aws:iam::111122223333:user/ana");
        assert_eq!(caller.now, "2026-01-01T12:00:00Z".parse().unwrap());
    }
}
