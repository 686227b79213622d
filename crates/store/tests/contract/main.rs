//! What every store must do: the same tests for the one in memory and for the
//! DynamoDB adapter on the emulator.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "A test that cannot go on fails, in its helpers too."
)]

mod ledger;
mod registry;
mod runs;
mod table;

use dropcast_store::{
    Builds, Cancellations, DueMails, History, Jobs, Mails, Models, Outputs, Promotion, Refreshes,
    Repairs, RunCompletion, Runs, TaskTokens, Validation,
};

/// Every port.
trait Store:
    Runs
    + Validation
    + Jobs
    + TaskTokens
    + Outputs
    + RunCompletion
    + Cancellations
    + Repairs
    + DueMails
    + Mails
    + Models
    + Builds
    + Promotion
    + Refreshes
    + History
{
}

impl<S> Store for S where
    S: Runs
        + Validation
        + Jobs
        + TaskTokens
        + Outputs
        + RunCompletion
        + Cancellations
        + Repairs
        + DueMails
        + Mails
        + Models
        + Builds
        + Promotion
        + Refreshes
        + History
{
}

/// Turns `async fn name(store: &impl Store)` of a module into a test of each store.
macro_rules! contract {
    ($($module:ident: $($name:ident)+;)+) => {
        mod in_memory {
            $($(
                #[tokio::test]
                async fn $name() {
                    crate::$module::$name(&dropcast_store::memory::MemoryStore::default()).await;
                }
            )+)+
        }
        mod in_dynamodb {
            $($(
                #[tokio::test]
                async fn $name() {
                    crate::$module::$name(&crate::table::new_table().await.store).await;
                }
            )+)+
        }
    };
}

contract! {
    runs:
        creating_a_run_twice_returns_the_existing_record
        invariant_1_an_upload_reported_twice_with_two_times_is_one_run
        an_unknown_run_is_no_record_and_no_change
        a_step_forward_moves_and_a_step_back_does_not
        of_two_reports_of_one_step_the_earlier_stays_to_the_nanosecond
        a_retry_goes_back_to_waiting_yet_forward
        invariant_2_a_terminal_status_absorbs_everything
        invariant_2_any_order_of_steps_gives_the_same_record_and_timeline
        a_terminal_status_is_not_a_step
        an_accepted_input_is_kept
        an_accepted_refresh_has_no_input
        a_rejected_input_is_kept
        finishing_twice_keeps_the_first_end
        a_finished_run_has_its_outcome;
    registry:
        a_build_is_one_version_however_often_its_event_is_delivered
        two_pushes_at_once_get_two_numbers
        a_build_of_the_very_same_is_the_newest_version
        a_failed_build_is_kept_once_and_is_no_version
        a_models_builds_and_versions_come_newest_first
        a_promotion_is_kept_with_who_and_when
        rollbacks_go_back_one_by_one
        promotions_at_once_are_one_after_the_other
        a_retired_version_stays_so_and_is_never_the_default
        of_a_promotion_and_a_retirement_at_once_one_takes_place
        what_is_not_there_cannot_be_promoted_or_retired
        a_model_registered_without_a_build_has_its_first_default_too
        a_models_open_runs_are_its_own;
    ledger:
        invariant_3_the_first_job_that_is_named_counts
        invariant_3_of_many_jobs_named_at_once_one_counts
        a_job_ends_once
        the_first_kept_log_stays
        a_newer_token_stays_when_the_older_one_is_deleted
        at_most_fifty_outputs_stand_on_the_record
        due_mails_are_listed_the_longest_due_first_until_they_are_settled
        the_first_request_to_cancel_counts_until_the_job_or_the_run_ends
        a_repair_is_noted_on_an_open_run_and_never_after_its_end
        a_mail_is_claimed_sent_and_never_claimed_again
        an_expired_claim_is_reported_as_such
        a_released_claim_can_be_taken_at_once_and_is_not_reported_as_expired
        of_many_claims_at_once_one_is_granted
        mails_of_another_kind_or_recipient_have_claims_of_their_own
        versions_are_numbered_and_the_first_is_the_default
        concurrent_registrations_get_distinct_numbers
        everything_that_a_manifest_says_is_kept
        of_the_refreshes_that_were_due_the_latest_is_remembered
        a_models_runs_come_newest_first
        open_runs_come_longest_unchanged_first;
}
