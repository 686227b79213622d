//! What the mails about one build say.

use dropcast_domain::{
    recipient::{self, Recipients},
    registry::{Build, BuildStatus, Model, RegisteredVersion},
};
use dropcast_mail::{BuildMailInput, compose_build, render};
use dropcast_store::Models;

use super::MailContext;
use crate::{Config, Deps, Error};

impl MailContext {
    /// None if there is no recipient: a successful build is mailed only to those who asked for it,
    /// as the person who pushed has seen the result.
    pub(crate) async fn load_build<S: Models, F, K, M>(
        deps: &Deps<S, F, K, M>,
        build: &Build,
    ) -> Result<Option<Self>, Error> {
        let model = match &build.model {
            Some(name) => deps.store.model(name).await?,
            None => None,
        };
        let newest = match &model {
            Some(model) => deps.store.version(&model.name, model.newest()).await?,
            None => None,
        };
        let chosen = recipients(build, newest.as_ref(), &deps.config);
        if chosen.mailed.is_empty() {
            return Ok(None);
        }
        let operator = &deps.config.operator_address;
        let asked = |address: &String| address.eq_ignore_ascii_case(operator);
        let content = compose_build(&BuildMailInput {
            build,
            model_title: model.as_ref().map(|model| model.title.as_str()),
            default: model.as_ref().map(|model: &Model| model.default_version),
            refused: &chosen.refused,
            operator_only: chosen.mailed == [operator.clone()] && !build.notify.iter().any(asked),
        });
        let rendered = render::render(&content, false)?;
        Ok(Some(Self {
            recipients: chosen.mailed,
            content,
            rendered,
            chart: None,
            marked_copy: None,
        }))
    }
}

/// The recipients of the push. For a failure without any: those of the model's newest version, or
/// the operator.
fn recipients(build: &Build, newest: Option<&RegisteredVersion>, config: &Config) -> Recipients {
    let own = newest.map_or(&[][..], |version| {
        version.spec.manifest.notify.recipients.as_slice()
    });
    let own = if build.notify.is_empty() { own } else { &[] };
    let operator = &config.operator_address;
    let chosen = recipient::choose(
        &build.notify,
        own,
        &config.allowed_recipient_domains,
        operator,
    );
    match build.end.status() {
        BuildStatus::Failed => chosen,
        // A success is not mailed to the operator instead.
        BuildStatus::Registered => Recipients {
            mailed: chosen
                .mailed
                .into_iter()
                .filter(|address| {
                    let named = |wanted: &String| wanted.eq_ignore_ascii_case(address);
                    build.notify.iter().any(named)
                })
                .collect(),
            refused: chosen.refused,
        },
    }
}
