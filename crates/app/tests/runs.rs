//! Which runs a list has, over the store in memory.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use dropcast_app::runs::{RunFilter, list_runs};
use dropcast_domain::{
    run::Run,
    status::{Progress, Status, Transition},
    upload::Upload,
};
use dropcast_store::{RunCompletion as _, Runs as _, memory::MemoryStore};
use dropcast_test_support::samples::{at, upload};

/// Runs of the models `a` and `b` in turn, one a second; the third one of each is over.
async fn store() -> MemoryStore {
    let store = MemoryStore::default();
    for number in 0..8 {
        let folder = ["a", "b"][number % 2];
        let uploaded_at = at(i64::try_from(number).unwrap() * 1_000);
        let upload = Upload {
            at: uploaded_at,
            ..upload(folder, &format!("{number}.json"))
        };
        let run = Run::received(upload, uploaded_at);
        store.create_if_absent(&run).await.unwrap();
        if number / 2 == 2 {
            let end = Transition {
                progress: Progress::first(Status::Succeeded),
                at: uploaded_at,
            };
            store.finish(&run.id, end, None).await.unwrap();
        }
    }
    store
}

async fn list(model: Option<&str>, open: bool, limit: u16) -> Vec<String> {
    let filter = RunFilter { model, open, limit };
    let listed = list_runs(&store().await, filter).await.unwrap();
    listed.iter().map(|run| run.upload.file_name()).collect()
}

#[tokio::test]
async fn open_runs_are_listed_the_newest_first_and_the_limit_counts_those_of_the_model() {
    assert_eq!(
        list(None, true, 9).await,
        ["7.json", "6.json", "3.json", "2.json", "1.json", "0.json"]
    );
    assert_eq!(list(None, true, 1).await, ["7.json"]);
    assert_eq!(
        list(Some("a"), true, 9).await,
        ["6.json", "2.json", "0.json"]
    );
    assert_eq!(list(Some("b"), true, 2).await, ["7.json", "3.json"]);
}

#[tokio::test]
async fn a_models_runs_are_listed_with_those_that_are_over() {
    assert_eq!(
        list(Some("a"), false, 9).await,
        ["6.json", "4.json", "2.json", "0.json"]
    );
    assert!(list(Some("c"), false, 9).await.is_empty());
}
