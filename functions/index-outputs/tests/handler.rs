//! From what a job wrote into the bucket to the manifest and the record, on the emulator's S3.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
        VersioningConfiguration,
    },
};
use dropcast_aws::s3::Bucket;
use dropcast_domain::{ids::JobId, run::Run, status::Status};
use dropcast_lambda_kit::error::HandlerError;
use dropcast_store::{
    History as _, Jobs as _, Models as _, Runs as _, Validation as _, ValidationOutcome,
    memory::MemoryStore,
};
use dropcast_test_support::{
    emulator,
    samples::{self, MODEL, acceptance, job, metadata, new_run, now, step, version_spec},
};
use index_outputs::{Deps, Indexed, handle};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

struct World {
    deps: Deps<MemoryStore, Bucket>,
    s3: Client,
    bucket: String,
    run: Run,
}

/// A run whose job was named, and an empty bucket.
async fn world() -> World {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let bucket = format!("results-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let s3 = Client::new(&emulator::aws());
    let here = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    s3.create_bucket()
        .bucket(&bucket)
        .create_bucket_configuration(here)
        .send()
        .await
        .unwrap();
    let deps = Deps {
        store: MemoryStore::default(),
        results: Bucket::new(s3.clone(), &bucket),
        now,
    };
    let run = new_run("plan.json");
    let store = &deps.store;
    store.register(&version_spec(MODEL)).await.unwrap();
    store.create_if_absent(&run).await.unwrap();
    let outcome = ValidationOutcome::Accepted(acceptance(&run.id));
    store
        .record_validation(&run.id, &metadata(&[]), &outcome)
        .await
        .unwrap();
    store.assign_job(&run.id, &job()).await.unwrap();
    World {
        deps,
        s3,
        bucket,
        run,
    }
}

impl World {
    async fn put(&self, key: &str, content: &str) {
        let put = self.s3.put_object().bucket(&self.bucket).key(key);
        let content = ByteStream::from(content.as_bytes().to_vec());
        put.body(content).send().await.unwrap();
    }

    /// Writes an output of the job's attempt.
    async fn write(&self, attempt: u32, path: &str, content: &str) {
        let prefix = self.run.keys().attempt(&job(), attempt);
        self.put(&format!("{prefix}{path}"), content).await;
    }

    /// Writes the runner's own listing of the first attempt.
    async fn list(&self, lines: &[&str]) {
        let key = self.run.keys().listing(&job(), 1);
        self.put(&key, &(lines.join("\n") + "\n")).await;
    }

    async fn index(&self, job: &JobId, attempt: u32) -> Result<Indexed, HandlerError> {
        let event = json!({ "runId": self.run.id, "jobId": job, "attempt": attempt });
        handle(&self.deps, serde_json::from_value(event).unwrap()).await
    }

    async fn manifest(&self) -> Value {
        let get = self.s3.get_object().bucket(&self.bucket);
        let object = get.key(self.run.keys().manifest()).send().await.unwrap();
        assert_eq!(object.content_type.as_deref(), Some("application/json"));
        let content = object.body.collect().await.unwrap().to_vec();
        serde_json::from_slice(&content).unwrap()
    }

    async fn record(&self) -> Run {
        self.deps.store.get(&self.run.id).await.unwrap().unwrap()
    }
}

fn line(path: &str, bytes: usize, media_type: &str) -> String {
    json!({ "path": path, "bytes": bytes, "sha256": "ab".repeat(32), "mediaType": media_type })
        .to_string()
}

#[tokio::test]
async fn the_runners_listing_and_the_buckets_become_one_manifest() {
    let world = world().await;
    for path in [
        "a.log",
        "charts/north.png",
        "charts/é south.png",
        "forecast.csv",
        "z/deep/x.bin",
    ] {
        world.write(1, path, "12345").await;
    }
    // Written by the model itself, and unknown to the runner.
    world.write(1, "b.txt", "1").await;
    let sum = "ab".repeat(32);
    world
        .list(&[
            &line("a.log", 5, "text/plain"),
            &line("charts/north.png", 5, "image/png"),
            &line("charts/é south.png", 5, "image/png"),
            // Another size: it speaks of an object that was there before.
            &line("forecast.csv", 4, "text/x-other"),
            "{ not a line",
            &line("gone.csv", 5, "text/csv"),
            &line("z/deep/x.bin", 5, "application/x-model"),
        ])
        .await;
    let answer = world.index(&job(), 1).await.unwrap();
    assert_eq!(
        serde_json::to_value(&answer).unwrap(),
        json!({ "outcome": "indexed", "count": 6 })
    );
    let entry = |path: &str,
                 title: &str,
                 kind: &str,
                 bytes: u8,
                 media_type: &str,
                 declared: bool| {
        json!({ "path": path, "title": title, "kind": kind, "bytes": bytes, "mediaType": media_type, "declared": declared })
    };
    let with_sum = |mut entry: Value| {
        entry["sha256"] = json!(sum);
        entry
    };
    let expected = json!({ "runId": world.run.id, "outputs": [
        with_sum(entry("a.log", "a.log", "data", 5, "text/plain", false)),
        entry("b.txt", "b.txt", "data", 1, "text/plain", false),
        with_sum(entry("charts/north.png", "Charts", "chart", 5, "image/png", true)),
        with_sum(entry("charts/é south.png", "Charts", "chart", 5, "image/png", true)),
        entry("forecast.csv", "Forecast", "table", 5, "text/csv", true),
        with_sum(entry("z/deep/x.bin", "z/deep/x.bin", "data", 5, "application/x-model", false)),
    ]});
    assert_eq!(world.manifest().await, expected);

    let record = world.record().await;
    assert_eq!(record.output_count, Some(6));
    // In the order in which the manifest declares them.
    let paths: Vec<&str> = record
        .outputs
        .iter()
        .map(|output| output.path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["forecast.csv", "charts/north.png", "charts/é south.png"]
    );
    assert_eq!(record.outputs[0].sha256, None);
    assert_eq!(record.outputs[1].sha256, Some(sum));
    let prefix = world.run.keys().attempt(&job(), 1);
    assert_eq!(record.outputs[0].key, format!("{prefix}forecast.csv"));
    assert_eq!(record.current, step(1, Status::Collecting, 500));
}

#[tokio::test]
async fn only_the_attempt_that_succeeded_is_published() {
    let world = world().await;
    world
        .write(1, "forecast.csv", "of the attempt that failed")
        .await;
    world.write(1, "leftover.csv", "x").await;
    world.write(2, "forecast.csv", "good").await;
    // Attempt 2 is no prefix of attempt 21.
    world.write(21, "forecast.csv", "other").await;
    world.index(&job(), 2).await.unwrap();
    let record = world.record().await;
    assert_eq!(record.output_count, Some(1));
    assert_eq!(record.outputs[0].bytes, 4);
    assert_eq!(record.current.progress.attempts, 2);
}

#[tokio::test]
async fn missing_required_outputs_are_named_and_the_manifest_is_kept() {
    let world = world().await;
    world.write(1, "charts/north.png", "1").await;
    world
        .write(1, "sub/forecast.csv", "not where it belongs")
        .await;
    let error = Diagnostic::from(world.index(&job(), 1).await.unwrap_err());
    assert_eq!(error.error_type, "OutputsMissing");
    assert_eq!(
        error.error_message,
        "The model finished without writing “Forecast” (forecast.csv)."
    );
    assert!(world.record().await.outputs.is_empty());
    assert_eq!(
        world.manifest().await["outputs"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_job_that_wrote_nothing_has_missed_its_outputs() {
    let world = world().await;
    let error = Diagnostic::from(world.index(&job(), 1).await.unwrap_err());
    assert_eq!(error.error_type, "OutputsMissing");
    assert_eq!(world.manifest().await["outputs"], json!([]));
}

#[tokio::test]
async fn invariant_3_outputs_of_another_job_are_not_published() {
    let world = world().await;
    let other: JobId = "another-job".parse().unwrap();
    let prefix = world.run.keys().attempt(&other, 1);
    world.put(&format!("{prefix}forecast.csv"), "1").await;
    let error = Diagnostic::from(world.index(&other, 1).await.unwrap_err());
    assert_eq!(error.error_type, "Internal");
    assert!(world.record().await.outputs.is_empty());
}

#[tokio::test]
async fn an_index_that_is_made_again_is_the_same() {
    let world = world().await;
    world.write(1, "forecast.csv", "12").await;
    world.list(&[&line("forecast.csv", 2, "text/csv")]).await;
    world.index(&job(), 1).await.unwrap();
    let (manifest, record) = (world.manifest().await, world.record().await);
    world.index(&job(), 1).await.unwrap();
    assert_eq!(world.manifest().await, manifest);
    assert_eq!(world.record().await, record);
    let timeline = world.deps.store.timeline(&world.run.id).await.unwrap();
    assert_eq!(timeline.len(), 2);
}

#[tokio::test]
async fn a_listing_of_more_than_one_page_is_read_to_its_end() {
    let world = world().await;
    let numbers: Vec<u32> = (0..1_050).collect();
    for numbers in numbers.chunks(50) {
        let paths: Vec<String> = numbers
            .iter()
            .map(|number| format!("rows/{number:04}.csv"))
            .collect();
        futures::future::join_all(paths.iter().map(|path| world.write(1, path, "1"))).await;
    }
    world.write(1, "forecast.csv", "1").await;
    let lines: Vec<String> = numbers
        .iter()
        .map(|number| line(&format!("rows/{number:04}.csv"), 1, "text/csv"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    world.list(&lines).await;
    let answer = world.index(&job(), 1).await.unwrap();
    assert_eq!(answer.count, 1_051);
    let manifest = world.manifest().await;
    let outputs = manifest["outputs"].as_array().unwrap();
    assert_eq!(outputs.len(), 1_051);
    let summed = outputs
        .iter()
        .filter(|output| output["sha256"].is_string())
        .count();
    assert_eq!(summed, 1_050);
    assert_eq!(
        world.record().await.outputs.len(),
        1,
        "only what is declared stands on the record"
    );
}

#[tokio::test]
async fn a_refresh_need_not_write_the_required_outputs() {
    let mut world = world().await;
    let refresh = samples::run_of(dropcast_domain::upload::Upload {
        key: format!("refresh/{MODEL}/now.json"),
        ..samples::upload(MODEL, "")
    });
    let store = &world.deps.store;
    store.create_if_absent(&refresh).await.unwrap();
    let outcome = ValidationOutcome::Accepted(dropcast_domain::run::Acceptance {
        input: None,
        ..acceptance(&refresh.id)
    });
    let metadata = metadata(&[]);
    store
        .record_validation(&refresh.id, &metadata, &outcome)
        .await
        .unwrap();
    store.assign_job(&refresh.id, &job()).await.unwrap();
    world.run = refresh;
    assert_eq!(world.index(&job(), 1).await.unwrap().count, 0);
    // What it writes all the same is published.
    world.write(1, "forecast.csv", "1").await;
    assert_eq!(world.index(&job(), 1).await.unwrap().count, 1);
    assert_eq!(world.record().await.outputs[0].path, "forecast.csv");
}

#[tokio::test]
async fn what_is_published_is_the_version_that_was_listed() {
    let world = world().await;
    let versioning = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    let on = world.s3.put_bucket_versioning().bucket(&world.bucket);
    on.versioning_configuration(versioning)
        .send()
        .await
        .unwrap();
    world.write(1, "forecast.csv", "12").await;
    world.write(1, "other.csv", "1").await;
    world.index(&job(), 1).await.unwrap();
    let manifest = world.manifest().await;
    let published = world.record().await.outputs.remove(0);
    assert_eq!(
        manifest["outputs"][0]["versionId"],
        json!(published.version_id)
    );
    // What is written under the key later is another version.
    world.write(1, "forecast.csv", "of somebody else").await;
    let get = world.s3.get_object().bucket(&world.bucket);
    let get = get
        .key(&published.key)
        .version_id(published.version_id.unwrap());
    let content = get.send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(content.to_vec(), b"12");
    // Listed again, each key is there once, with its newest version.
    assert_eq!(world.index(&job(), 1).await.unwrap().count, 2);
    assert_eq!(world.record().await.outputs[0].bytes, 16);
}
