//! The signals that reach `dropcast-job`.

use nix::sys::signal::Signal;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::error::JobError;

/// What is passed on to the model. As process 1 of a container, `dropcast-job` would otherwise
/// ignore them: the kernel gives process 1 no default actions.
const HEARD: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// Signals in the order in which they came.
#[derive(Debug)]
pub(crate) struct Signals {
    heard: mpsc::UnboundedReceiver<Signal>,
}

impl Signals {
    /// Takes over the handling of signals for the rest of the process. Needs a Tokio runtime.
    pub(crate) fn listen() -> Result<Self, JobError> {
        let (sender, heard) = mpsc::unbounded_channel();
        for kind in HEARD {
            let mut stream = signal(SignalKind::from_raw(kind as i32)).map_err(|error| {
                JobError::WorkFolder(format!("{kind} cannot be listened to: {error}"))
            })?;
            let sender = sender.clone();
            tokio::spawn(async move {
                while stream.recv().await.is_some() && sender.send(kind).is_ok() {}
            });
        }
        Ok(Self { heard })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        match self.heard.recv().await {
            Some(signal) => signal,
            // The senders live as long as the runtime.
            None => std::future::pending().await,
        }
    }

    /// The next signal that asks for the end, as the error that ends the job.
    pub(crate) async fn end(&mut self) -> JobError {
        loop {
            let signal = self.next().await;
            if asks_for_the_end(signal) {
                return interrupted(signal);
            }
        }
    }
}

/// Whether a signal asks a process to end, unlike the two that programs define for themselves.
pub(crate) fn asks_for_the_end(signal: Signal) -> bool {
    !matches!(signal, Signal::SIGUSR1 | Signal::SIGUSR2)
}

/// The error that ends a job that `signal` asked to end.
pub(crate) fn interrupted(signal: Signal) -> JobError {
    JobError::Interrupted {
        signal: signal as i32,
        name: signal.as_str(),
    }
}
