//! Who invoked a function, and what follows when there is no answer.

use dropcast_domain::ids::RunId;

use crate::{
    functions::Consumer,
    world::{Shared, lock},
};

/// Who invoked a function.
pub(crate) enum Caller {
    /// SQS, with the ids of the messages that it delivered.
    Queue(Consumer, Vec<String>),
    /// The table's stream, with this many changes.
    Stream(usize),
    /// EventBridge Scheduler.
    Schedule,
    /// A run's execution, in this attempt of a task.
    Task(RunId, u64),
    /// Somebody who cancels a run.
    Person(RunId),
}

impl Caller {
    /// Messages come again when they become visible; changes, tasks and requests are tried again.
    pub(crate) fn lose_answer(&self, world: &Shared, error: &str) {
        match self {
            // The schedule rings again.
            Self::Queue(..) | Self::Schedule => {}
            Self::Stream(_) => lock(world).stream.not_handled(),
            Self::Person(run) => lock(world).cancel_again(run),
            Self::Task(..) => self.fail_task(world, error),
        }
    }

    /// Fails the task, if this is one.
    pub(crate) fn fail_task(&self, world: &Shared, error: &str) {
        let world = &mut *lock(world);
        if let Self::Task(run, attempt) = self
            && let Some(execution) = world.executions.get_mut(run)
        {
            world
                .trace
                .note(|| format!("Step Functions: {run}: {error}"));
            execution.fail(&world.definition, &mut world.random, *attempt, error, "");
        }
    }
}
