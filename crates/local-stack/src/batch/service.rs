//! Performs what the rules ask for.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::sync::mpsc::{self, UnboundedSender};
use uuid::Uuid;

use super::{
    attempt::{self, StopOrder, signal_marked},
    config::BatchConfig,
    core::{Announcement, Core, Effect, Settings, names::Arns},
};
use crate::{
    calls::Calls,
    service::{clock, lock, process::signal_group},
};

/// An attempt that is running or about to.
struct Running {
    orders: UnboundedSender<StopOrder>,
    group: Option<i32>,
}

/// Everything around the rules: the processes, the timers, the way out for events.
pub(crate) struct Shell {
    pub(crate) config: BatchConfig,
    pub(crate) logs: Option<aws_sdk_cloudwatchlogs::Client>,
    pub(crate) secrets: Option<aws_sdk_secretsmanager::Client>,
    pub(crate) calls: Calls,
    core: Mutex<Core>,
    running: Mutex<HashMap<(String, u32), Running>>,
    announcements: Mutex<Option<UnboundedSender<Announcement>>>,
    closing: AtomicBool,
    own: Weak<Self>,
}

impl Shell {
    /// A shell that sends events to `announcements`.
    pub(crate) fn new(
        config: BatchConfig,
        logs: Option<aws_sdk_cloudwatchlogs::Client>,
        secrets: Option<aws_sdk_secretsmanager::Client>,
        announcements: Option<UnboundedSender<Announcement>>,
    ) -> Arc<Self> {
        let settings = Settings {
            arns: Arns::new(config.account.clone(), config.region.clone()),
            queue_name: config.queue_name.clone(),
            compute_environment_name: config.compute_environment_name.clone(),
            max_vcpus: config.max_vcpus,
            time_limit_actions: config.time_limit_actions.clone(),
            timings: config.timings.clone(),
        };
        Arc::new_cyclic(|own| Self {
            calls: Calls::in_folder(&config.state),
            config,
            logs,
            secrets,
            core: Mutex::new(Core::new(settings, Uuid::new_v4)),
            running: Mutex::new(HashMap::new()),
            announcements: Mutex::new(announcements),
            closing: AtomicBool::new(false),
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

    /// Notes the process group of an attempt, so that it can be killed.
    pub(crate) fn remember_group(&self, job: &str, attempt: u32, group: i32) {
        if let Some(running) = lock(&self.running).get_mut(&(job.to_owned(), attempt)) {
            running.group = Some(group);
        }
        if self.is_closing() {
            signal_group(group, Signal::SIGKILL);
        }
    }

    /// Forgets an attempt that has ended.
    pub(crate) fn forget(&self, job: &str, attempt: u32) {
        lock(&self.running).remove(&(job.to_owned(), attempt));
    }

    /// Starts nothing any more, and publishes nothing.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        lock(&self.announcements).take();
    }

    /// Asks every process to end, and kills those that have not after `grace`.
    pub(crate) async fn stop_all(&self, grace: Duration) {
        for running in lock(&self.running).values() {
            if let Some(group) = running.group {
                signal_group(group, Signal::SIGTERM);
            }
        }
        let all_ended = async {
            while !lock(&self.running).is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(grace, all_ended).await.is_err() {
            self.kill_all();
        }
    }

    /// Kills every process at once, without waiting.
    pub(crate) fn kill_all(&self) {
        for ((job, attempt), running) in lock(&self.running).iter() {
            signal_marked(job, *attempt, Signal::SIGKILL);
            if let Some(group) = running.group {
                signal_group(group, Signal::SIGKILL);
            }
        }
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    fn perform(&self, effect: Effect) {
        if self.is_closing() {
            return;
        }
        match effect {
            Effect::Announce(announcement) => {
                if let Some(announcements) = lock(&self.announcements).as_ref() {
                    // Fails only when the publisher is gone, at the very end.
                    let _ = announcements.send(announcement);
                }
            }
            Effect::Timer {
                job,
                generation,
                timer,
                after,
            } => {
                // A timer may be days away; it must not keep the service alive.
                let shell = self.own.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    if let Some(shell) = shell.upgrade() {
                        shell.act(|core, now| core.fire_timer(&job, generation, timer, now));
                    }
                });
            }
            Effect::Launch(launch) => {
                let Some(shell) = self.own.upgrade() else {
                    return;
                };
                let (orders, waiting) = mpsc::unbounded_channel();
                let running = Running {
                    orders,
                    group: None,
                };
                lock(&self.running).insert((launch.job_id.clone(), launch.attempt), running);
                tokio::spawn(attempt::run(shell, launch, waiting));
            }
            Effect::Stop {
                job,
                attempt,
                at_once,
            } => {
                if let Some(running) = lock(&self.running).get(&(job, attempt)) {
                    // Fails only when the attempt has ended in this moment.
                    let _ = running.orders.send(StopOrder { at_once });
                }
            }
        }
    }
}
