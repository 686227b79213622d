//! Opening mailed links.

#![expect(
    clippy::unwrap_used,
    reason = "A test that cannot go on fails, in its helpers too."
)]

use dropcast_aws::CallError;
use dropcast_domain::{
    link::{Link, LinkKeys},
    output::Output,
    run::Run,
    status::Status,
};
use dropcast_store::{
    Outputs as _, RunCompletion as _, Runs as _, Validation as _, ValidationOutcome,
    memory::MemoryStore,
};
use dropcast_test_support::{
    fixture,
    samples::{at, metadata, new_run, now, output, step},
    unavailable,
};
use jiff::Timestamp;
use open_link::{Answer, Deps, Files, KeySource, handle};
use serde_json::{Value, json};

#[derive(Debug)]
struct FakeKeys(LinkKeys);

impl KeySource for FakeKeys {
    async fn keys(&self, _now: Timestamp) -> Result<LinkKeys, dropcast_aws::secrets::KeysError> {
        Ok(self.0.clone())
    }
}

/// Presigns with the time, so that two answers can be told apart.
#[derive(Debug, Default)]
struct FakeFiles {
    unavailable: bool,
}

impl Files for FakeFiles {
    async fn url(&self, output: &Output) -> Result<String, CallError> {
        if self.unavailable {
            return Err(unavailable("s3:GetObject"));
        }
        Ok(format!(
            "https://s3.example/{}?X-Amz-Expires=300",
            output.key
        ))
    }
}

type World = Deps<MemoryStore, FakeKeys, FakeFiles>;

fn keys(fill: &str) -> LinkKeys {
    let secret = json!({ "current": "k1", "k1": fill.repeat(64) });
    LinkKeys::parse(&secret.to_string()).unwrap()
}

/// A run that published `forecast.csv` and `charts/a b.png`.
async fn world() -> (World, Run) {
    let world = Deps {
        store: MemoryStore::default(),
        keys: FakeKeys(keys("a")),
        files: FakeFiles::default(),
        now,
    };
    let run = new_run("plan.json");
    world.store.create_if_absent(&run).await.unwrap();
    let outputs = ["forecast.csv", "charts/a b.png"].map(|path| output(&run.id, path));
    world.store.publish(&run.id, &outputs, 5).await.unwrap();
    let end = step(1, Status::Succeeded, 400);
    let run = world.store.finish(&run.id, end, None).await.unwrap();
    (world, run)
}

fn link(run: &Run, path: &str) -> Link {
    Link {
        run: run.id.clone(),
        path: path.into(),
        expires: at(1_000_000).as_second(),
        epoch: 0,
    }
}

/// The request as API Gateway hands it over.
fn request(method: &str, token: &str) -> Value {
    let recorded = fixture("http-api-request").to_string();
    let mut request: Value = serde_json::from_str(&recorded.replace("TOKEN", token)).unwrap();
    request["requestContext"]["http"]["method"] = json!(method);
    request
}

async fn open(world: &World, token: &str) -> Answer {
    let request = serde_json::from_value(request("GET", token)).unwrap();
    handle(world, request).await.unwrap()
}

#[tokio::test]
async fn the_marked_copy_of_a_rejected_table_opens_and_nothing_else_of_it() {
    let (world, _) = world().await;
    for marked in [true, false] {
        let run = new_run(&format!("{marked}.xlsx"));
        world.store.create_if_absent(&run).await.unwrap();
        let outcome = ValidationOutcome::Rejected {
            problem_count: 1,
            version: None,
            marked,
        };
        let store = &world.store;
        store
            .record_validation(&run.id, &metadata(&[]), &outcome)
            .await
            .unwrap();
        for (path, opens) in [("marked.xlsx", marked), ("problems.json", false)] {
            let answer = open(&world, &world.keys.0.sign(&link(&run, path))).await;
            assert_eq!(answer.status_code == 302, opens, "{path}");
            if opens {
                let key = run.keys().marked();
                assert!(answer.headers["location"].contains(&key));
            }
        }
    }
}

#[tokio::test]
async fn a_link_redirects_to_a_url_that_must_not_be_cached() {
    let (world, run) = world().await;
    for path in ["forecast.csv", "charts/a b.png"] {
        let token = world.keys.0.sign(&link(&run, path));
        let answer = open(&world, &token).await;
        assert_eq!(answer.status_code, 302);
        let key = output(&run.id, path).key;
        assert_eq!(
            answer.headers["location"],
            format!("https://s3.example/{key}?X-Amz-Expires=300")
        );
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn opening_a_link_any_number_of_times_by_any_method_changes_nothing() {
    let (world, run) = world().await;
    let token = world.keys.0.sign(&link(&run, "forecast.csv"));
    let first = open(&world, &token).await;
    for method in ["GET", "HEAD", "GET", "HEAD"] {
        let request = serde_json::from_value(request(method, &token)).unwrap();
        assert_eq!(handle(&world, request).await.unwrap(), first);
    }
    assert_eq!(world.store.get(&run.id).await.unwrap().unwrap(), run);
}

#[tokio::test]
async fn a_forged_link_is_refused() {
    let (world, run) = world().await;
    let good = world.keys.0.sign(&link(&run, "forecast.csv"));
    let (payload, signature) = good.split_once('.').unwrap();
    let other = world.keys.0.sign(&link(&run, "charts/a b.png"));
    let (other_payload, _) = other.split_once('.').unwrap();
    let forged = [
        String::new(),
        ".".into(),
        payload.into(),
        format!("{payload}."),
        format!("{payload}.{}", "A".repeat(43)),
        format!("{other_payload}.{signature}"),
        format!("{good}A"),
        good.to_lowercase(),
        keys("b").sign(&link(&run, "forecast.csv")),
        "é%00\u{7f}".into(),
        "x".repeat(10_000),
    ];
    for token in forged {
        let request = serde_json::from_value(json!({ "pathParameters": { "token": token } }));
        let answer = handle(&world, request.unwrap()).await.unwrap();
        assert_eq!(answer.status_code, 403, "{token}");
        is_a_plain_page(&answer);
        assert!(!answer.body.contains(&run.id.to_string()));
    }
    let answer = handle(&world, serde_json::from_value(json!({})).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.status_code, 403, "no token at all");
}

#[tokio::test]
async fn an_expired_link_is_gone() {
    let (world, run) = world().await;
    let expired = Link {
        expires: now().as_second(),
        ..link(&run, "forecast.csv")
    };
    let answer = open(&world, &world.keys.0.sign(&expired)).await;
    assert_eq!(answer.status_code, 410);
    assert!(answer.body.contains("expired"));
    is_a_plain_page(&answer);
}

#[tokio::test]
async fn a_revoked_link_is_gone() {
    let (world, run) = world().await;
    // No command raises the epoch yet: a link of another epoch is the same case.
    let revoked = Link {
        epoch: run.links_epoch + 1,
        ..link(&run, "forecast.csv")
    };
    let answer = open(&world, &world.keys.0.sign(&revoked)).await;
    assert_eq!(answer.status_code, 410);
    assert!(answer.body.contains("revoked"));
    is_a_plain_page(&answer);
}

#[tokio::test]
async fn only_what_the_record_publishes_can_be_opened() {
    let (world, run) = world().await;
    let unknown = new_run("forgotten.json");
    for link in [
        link(&run, "secret.csv"),
        link(&run, "../../input/plan.json"),
        link(&run, ""),
        link(&unknown, "forecast.csv"),
    ] {
        let answer = open(&world, &world.keys.0.sign(&link)).await;
        assert_eq!(answer.status_code, 410, "{link:?}");
        is_a_plain_page(&answer);
    }
}

#[tokio::test]
async fn a_good_link_that_cannot_be_opened_now_says_to_try_later() {
    let (mut world, run) = world().await;
    world.files.unavailable = true;
    let answer = open(&world, &world.keys.0.sign(&link(&run, "forecast.csv"))).await;
    assert_eq!(answer.status_code, 503);
    is_a_plain_page(&answer);
}

fn is_a_plain_page(answer: &Answer) {
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.headers["content-security-policy"].contains("default-src 'none'"));
    assert!(!answer.headers.contains_key("location"));
    assert!(answer.body.contains("<h1>"));
    assert!(answer.body.len() < 2_000);
}
