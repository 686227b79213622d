use super::*;

const PHASES: [&str; 11] = [
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
];

fn core() -> Core {
    let settings = Settings {
        account: "000000000000".to_owned(),
        region: "eu-west-1".to_owned(),
        project: "p".to_owned(),
    };
    let mut next = 0;
    Core::new(settings, move || {
        next += 1;
        Uuid::from_u128(next)
    })
}

fn request() -> StartBuild {
    StartBuild {
        project_name: Some("p".to_owned()),
        source_type_override: Some("S3".to_owned()),
        source_location_override: Some("bucket/a/b.zip".to_owned()),
        ..StartBuild::default()
    }
}

fn start(core: &mut Core) -> String {
    let answer = core.start(request(), 1000).unwrap();
    let id = answer["build"]["id"].as_str().unwrap();
    id.strip_prefix("p:").unwrap().to_owned()
}

fn failed() -> Outcome {
    Outcome::Failed("COMMAND_EXECUTION_ERROR", "why".to_owned())
}

/// Walks a build to its end; the phase that is named ends otherwise.
fn walk(core: &mut Core, uuid: &str, at: &str, outcome: &Outcome) -> Vec<(String, String)> {
    let mut now = 1000;
    while let Some(build) = core.build(uuid)
        && build.current() != PhaseKind::Completed
    {
        now += 10;
        let is_it = build.current().as_str() == at;
        let outcome = if is_it {
            outcome.clone()
        } else {
            Outcome::Succeeded
        };
        core.end_phase(uuid, outcome, now);
    }
    let build = core.build(uuid).unwrap();
    let phases = build.phases.iter();
    phases
        .map(|phase| {
            let end = phase
                .end
                .as_ref()
                .map_or("", |(_, outcome)| outcome.as_str());
            (phase.kind.as_str().to_owned(), end.to_owned())
        })
        .collect()
}

#[test]
fn a_build_that_goes_well_passes_every_phase_and_is_announced_twice() {
    let mut core = core();
    let uuid = start(&mut core);
    let phases = walk(&mut core, &uuid, "", &Outcome::Succeeded);
    let kinds: Vec<&str> = phases.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, PHASES);
    assert_eq!(core.build(&uuid).unwrap().status, Status::Succeeded);
    let effects = core.take_effects();
    let told: Vec<Value> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Announce(announcement) => serde_json::from_str(&announcement.detail).ok(),
            _ => None,
        })
        .collect();
    assert_eq!(told[0]["build-status"], "IN_PROGRESS");
    assert_eq!(told[1]["build-status"], "SUCCEEDED");
    assert_eq!(told[1]["current-phase"], "COMPLETED");
    assert_eq!(told[1]["additional-information"]["build-complete"], true);
    assert_eq!(told.len(), 2);
}

#[test]
fn a_phase_that_fails_fails_the_build_and_only_build_is_followed_by_the_next() {
    for (at, followed_by) in [
        ("DOWNLOAD_SOURCE", "FINALIZING"),
        ("INSTALL", "FINALIZING"),
        ("PRE_BUILD", "FINALIZING"),
        ("BUILD", "POST_BUILD"),
        ("POST_BUILD", "UPLOAD_ARTIFACTS"),
        ("UPLOAD_ARTIFACTS", "FINALIZING"),
    ] {
        let mut core = core();
        let uuid = start(&mut core);
        let phases = walk(&mut core, &uuid, at, &failed());
        let place = phases.iter().position(|(kind, _)| kind == at).unwrap();
        assert_eq!(phases[place].1, "FAILED");
        assert_eq!(phases[place + 1].0, followed_by, "{at}");
        assert_eq!(core.build(&uuid).unwrap().status, Status::Failed, "{at}");
        let detail = core
            .take_effects()
            .into_iter()
            .rev()
            .find_map(|effect| match effect {
                Effect::Announce(announcement) => Some(announcement.detail),
                _ => None,
            });
        let detail: Value = serde_json::from_str(&detail.unwrap()).unwrap();
        let phase = &detail["additional-information"]["phases"][place];
        assert_eq!(
            phase["phase-context"],
            json!(["COMMAND_EXECUTION_ERROR: why"])
        );
    }
}

#[test]
fn a_build_that_is_stopped_or_takes_too_long_does_nothing_more() {
    for (outcome, status) in [
        (Outcome::Stopped, Status::Stopped),
        (Outcome::TimedOut, Status::TimedOut),
    ] {
        let mut core = core();
        let uuid = start(&mut core);
        let phases = walk(&mut core, &uuid, "BUILD", &outcome);
        assert_eq!(phases[7].0, "FINALIZING");
        assert_eq!(core.build(&uuid).unwrap().status, status);
    }
}

#[test]
fn lost_events_are_those_of_the_next_builds_alone() {
    let mut core = core();
    core.add_fault(Fault::LostEvents {
        model: Some("another".into()),
        builds: 1,
    });
    core.add_fault(Fault::LostEvents {
        model: None,
        builds: 1,
    });
    let uuid = start(&mut core);
    walk(&mut core, &uuid, "", &Outcome::Succeeded);
    let announced = |core: &mut Core| {
        let effects = core.take_effects().into_iter();
        effects
            .filter(|it| matches!(it, Effect::Announce(_)))
            .count()
    };
    assert_eq!(announced(&mut core), 0);
    assert_eq!(core.faults().len(), 1);
    start(&mut core);
    assert_eq!(announced(&mut core), 1);
}

#[test]
fn one_token_is_one_build_and_builds_are_listed_newest_first_by_the_hundred() {
    let mut core = core();
    let with_token = || StartBuild {
        idempotency_token: Some("t".to_owned()),
        ..request()
    };
    let first = core.start(with_token(), 1).unwrap();
    assert_eq!(core.start(with_token(), 2).unwrap(), first);
    for _ in 0..100 {
        start(&mut core);
    }
    let mut list = ListBuilds {
        project_name: Some("p".to_owned()),
        ..ListBuilds::default()
    };
    let page = core.list(&list, true).unwrap();
    assert_eq!(page["ids"].as_array().unwrap().len(), 100);
    assert_eq!(page["ids"][0], format!("p:{}", Uuid::from_u128(101)));
    list.next_token = page["nextToken"].as_str().map(str::to_owned);
    let page = core.list(&list, true).unwrap();
    assert_eq!(page["ids"], json!([first["build"]["id"]]));
    assert!(page.get("nextToken").is_none());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let change = |change: &dyn Fn(&mut StartBuild)| {
        let mut request = request();
        change(&mut request);
        core().start(request, 0).unwrap_err()
    };
    for location in ["", "bucket", "bucket/", "/key"] {
        let error = change(&|request| request.source_location_override = Some(location.to_owned()));
        assert_eq!(error.code(), "InvalidInputException", "{location}");
    }
    let unknown = change(&|request| request.project_name = Some("q".to_owned()));
    assert_eq!(unknown.code(), "ResourceNotFoundException");
    let git = change(&|request| request.source_type_override = Some("GITHUB".to_owned()));
    assert!(git.to_string().contains("S3"), "{git}");
}
