//! Performs what the rules ask for.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{Semaphore, mpsc::UnboundedSender, watch};
use uuid::Uuid;

use super::{
    config::CodeBuildConfig,
    core::{Core, Effect, Settings},
    work,
};
use crate::{
    calls::Calls,
    service::{aws::Clients, clock, events::Announcement, lock},
};

/// Everything around the rules: the builds at work, and the way out for events.
pub(crate) struct Shell {
    pub(crate) config: CodeBuildConfig,
    pub(crate) clients: Clients,
    /// The record of API calls.
    pub(crate) calls: Calls,
    /// As many builds as may be at work.
    pub(crate) places: Semaphore,
    core: Mutex<Core>,
    /// Running builds, by UUID, with the sender that stops them.
    working: Mutex<HashMap<String, watch::Sender<bool>>>,
    announcements: Mutex<Option<UnboundedSender<Announcement>>>,
    own: Weak<Self>,
}

impl Shell {
    /// A shell that sends events to `announcements`.
    pub(crate) fn new(
        config: CodeBuildConfig,
        clients: Clients,
        announcements: UnboundedSender<Announcement>,
    ) -> Arc<Self> {
        let settings = Settings {
            account: config.account.clone(),
            region: config.region.clone(),
            project: config.project.clone(),
        };
        Arc::new_cyclic(|own| Self {
            calls: Calls::in_folder(&config.state),
            places: Semaphore::new(config.concurrent_builds),
            config,
            clients,
            core: Mutex::new(Core::new(settings, Uuid::new_v4)),
            working: Mutex::new(HashMap::new()),
            announcements: Mutex::new(Some(announcements)),
            own: own.clone(),
        })
    }

    /// Lets the rules decide, and does what they decide. Effects leave in the order in which the
    /// state changed, because they are performed under the same lock; performing never waits.
    pub(crate) fn act<T>(&self, decide: impl FnOnce(&mut Core, i64) -> T) -> T {
        let mut core = lock(&self.core);
        let answer = decide(&mut core, clock::now());
        for effect in core.take_effects() {
            self.perform(effect);
        }
        answer
    }

    /// Forgets a build that is no longer at work.
    pub(crate) fn forget(&self, uuid: &str) {
        lock(&self.working).remove(uuid);
    }

    /// Starts and publishes nothing any more, and stops every build.
    pub(crate) fn close(&self) {
        lock(&self.announcements).take();
        for stop in lock(&self.working).values() {
            stop.send_replace(true);
        }
    }

    /// Whether no build is at work.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.working).is_empty()
    }

    fn perform(&self, effect: Effect) {
        let announcements = lock(&self.announcements);
        let Some(sender) = announcements.as_ref() else {
            return;
        };
        match effect {
            Effect::Announce(announcement) => {
                // Fails only when the publisher is gone, at the very end.
                let _ = sender.send(announcement);
            }
            Effect::Launch(uuid) => {
                let Some(shell) = self.own.upgrade() else {
                    return;
                };
                let (stop, stopped) = watch::channel(false);
                lock(&self.working).insert(uuid.clone(), stop);
                tokio::spawn(work::build(shell, uuid, stopped));
            }
            Effect::Stop(uuid) => {
                if let Some(stop) = lock(&self.working).get(&uuid) {
                    stop.send_replace(true);
                }
            }
        }
    }
}
