//! `dropcast local`: the stack on this machine.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dropcast_api_types::{LocalStackPlace, LocalStackStatus};
use dropcast_local_stack::{Connection, LocalStack, Registry, stop_requested};

use crate::{
    args::{Common, Local, Up},
    clock,
    exit::{Exit, Stop},
    model,
    progress::Steps,
    repository,
    screen::{Paint, Screen},
    stack, words,
};

/// How long a detached stack may take to come up; a few seconds are usual.
const DETACHED_START: Duration = Duration::from_mins(5);

/// How often a detached stack is looked for.
const GLANCE: Duration = Duration::from_millis(100);

fn place(connection: &Connection) -> anyhow::Result<LocalStackPlace> {
    let output = |name| connection.output(name).map(str::to_owned);
    Ok(LocalStackPlace {
        pid: connection.pid,
        endpoint: connection.endpoint.clone(),
        batch_endpoint: connection.batch_endpoint.clone(),
        codebuild_endpoint: connection.codebuild_endpoint.clone(),
        region: connection.region.clone(),
        stack_name: connection.stack_name.clone(),
        inputs_bucket: output("InputsBucketName")?,
        results_bucket: output("ResultsBucketName")?,
        runs_table: output("RunsTableName")?,
        state_machine_arn: output("StateMachineArn")?,
        job_queue_arn: output("JobQueueArn")?,
        link_base_url: output("LinkBaseUrl")?,
    })
}

fn status_up(connection: &Connection) -> anyhow::Result<LocalStackStatus> {
    Ok(LocalStackStatus {
        up: true,
        state_dir: connection.state.clone(),
        stack: Some(place(connection)?),
    })
}

fn status_down(state_dir: &Path) -> LocalStackStatus {
    LocalStackStatus {
        up: false,
        state_dir: state_dir.to_owned(),
        stack: None,
    }
}

/// Starts, stops or looks at the local stack.
pub async fn run(command: &Local, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    match command {
        Local::Up(args) if args.detach => up_detached(args, common, screen).await,
        Local::Up(args) => Box::pin(up(args, common, screen)).await,
        Local::Down => down(common, screen).await,
        Local::Status => status(common, screen),
    }
}

/// Starts a stack; what it tells goes to stderr.
pub(crate) async fn start(state_dir: &Path, steps: Steps) -> anyhow::Result<LocalStack> {
    let options = repository::options(state_dir)?;
    Box::pin(LocalStack::start(options, &steps))
        .await
        .map_err(not_started)
}

fn not_started(error: dropcast_local_stack::Error) -> anyhow::Error {
    use dropcast_local_stack::Error;
    match &error {
        Error::Missing { .. } => Stop::new(Exit::NotFound, error.to_string()).into(),
        Error::AlreadyUp { .. } => Stop::new(Exit::NoStack, error.to_string()).into(),
        Error::Emulator { .. } | Error::Deployment { .. } => {
            Stop::new(Exit::NoStack, error.to_string())
                .advice("If nothing in those lines helps, report them.")
                .into()
        }
        _ => error.into(),
    }
}

async fn up(args: &Up, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let starting = async {
        let stack = start(&common.state_dir, Steps::on(screen)).await?;
        if let Err(error) = register(&args.register, stack.connection(), screen).await {
            stack.stop().await;
            return Err(error);
        }
        anyhow::Ok(stack)
    };
    // Dropping what is being started ends it.
    let mut stack = tokio::select! {
        started = starting => started?,
        asked = stop_requested() => {
            asked?;
            return Err(Stop::new(Exit::Interrupted, "Stopped before the stack was up.").into());
        }
    };
    let document = status_up(stack.connection())?;
    screen.show(&document, |paint| up_text(&document, true, paint))?;
    let broken = tokio::select! {
        asked = stop_requested() => asked.err(),
        why = stack.failed() => Some(why),
    };
    if screen.live {
        // The terminal's ^C stands at the beginning of this line.
        screen.note("");
    }
    screen.note("Stopping …");
    stack.stop().await;
    if let Some(error) = broken {
        return Err(not_started(error));
    }
    screen.note("The local stack is down.");
    Ok(Exit::Done)
}

/// Brings a stack up in the background, unless one is up, then registers models there.
async fn up_detached(args: &Up, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let connection = match Connection::attach(&common.state_dir) {
        Ok(standing) => standing,
        Err(_) => spawn(&common.state_dir, screen).await?,
    };
    register(&args.register, &connection, screen).await?;
    let document = status_up(&connection)?;
    screen.show(&document, |paint| up_text(&document, false, paint))?;
    Ok(Exit::Done)
}

/// Runs `local up` as a process that outlives this one.
async fn spawn(state_dir: &Path, screen: Screen) -> anyhow::Result<Connection> {
    let logs = state_dir.join("logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("creating {}", logs.display()))?;
    let log = logs.join("local-up.log");
    let file = std::fs::File::create(&log).with_context(|| format!("writing {}", log.display()))?;
    let mut child = tokio::process::Command::new(std::env::current_exe()?)
        .arg("--state-dir")
        .arg(state_dir)
        .args(["local", "up"])
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        // A group of its own: the terminal's Ctrl-C is not for it.
        .process_group(0)
        .spawn()
        .context("starting the stack's process")?;
    let spinner = screen
        .live
        .then(|| crate::progress::spinner("starting the local stack"));
    let started = Instant::now();
    let connection = loop {
        if let Ok(connection) = Connection::attach(state_dir) {
            break connection;
        }
        if child.try_wait()?.is_some() {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Stop::new(
                Exit::NoStack,
                format!("The local stack did not come up:\n{}", said.trim_end()),
            )
            .into());
        }
        if started.elapsed() > DETACHED_START {
            child.start_kill()?;
            return Err(Stop::new(
                Exit::TookTooLong,
                format!(
                    "The local stack did not come up in {}; see {}.",
                    words::whole(DETACHED_START),
                    log.display()
                ),
            )
            .into());
        }
        tokio::time::sleep(GLANCE).await;
    };
    if let Some(bar) = spinner {
        bar.finish_and_clear();
    }
    Ok(connection)
}

/// Registers models' folders; what it tells goes to stderr.
async fn register(
    folders: &[PathBuf],
    connection: &Connection,
    screen: Screen,
) -> anyhow::Result<()> {
    let steps = Steps::on(screen);
    for folder in folders {
        let registry = Registry::of(connection)?;
        let register = dropcast_local_stack::register(folder, &registry, clock::now(), &steps);
        Box::pin(register).await.map_err(model::not_accepted)?;
    }
    Ok(())
}

async fn down(common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let document = status_down(&common.state_dir);
    let Ok(connection) = Connection::attach(&common.state_dir) else {
        screen.show(&document, |_| {
            format!("No local stack is up in {}.\n", common.state_dir.display())
        })?;
        return Ok(Exit::Done);
    };
    connection.stop().await?;
    screen.show(&document, |_| "The local stack is down.\n".to_owned())?;
    Ok(Exit::Done)
}

fn status(common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    match Connection::attach(&common.state_dir) {
        Ok(connection) => {
            let document = status_up(&connection)?;
            screen.show(&document, |paint| facts(&document, paint))?;
            Ok(Exit::Done)
        }
        Err(dropcast_local_stack::Error::NotUp { .. }) => {
            let document = status_down(&common.state_dir);
            screen.show(&document, |_| {
                format!(
                    "No local stack is up in {}. Start one with `{} local up`.\n",
                    common.state_dir.display(),
                    stack::program()
                )
            })?;
            Ok(Exit::NoStack)
        }
        Err(_) => Err(stack::attach(&common.state_dir).err().map_or_else(
            || anyhow::anyhow!("the local stack came up just now"),
            Into::into,
        )),
    }
}

fn facts(status: &LocalStackStatus, paint: Paint) -> String {
    let Some(place) = &status.stack else {
        return String::new();
    };
    paint.facts(&[
        ("AWS endpoint", place.endpoint.clone()),
        ("Batch endpoint", place.batch_endpoint.clone()),
        ("CodeBuild endpoint", place.codebuild_endpoint.clone()),
        ("Region", place.region.clone()),
        ("Stack", place.stack_name.clone()),
        (
            "Drop files in",
            format!("s3://{}/inputs/<model>/", place.inputs_bucket),
        ),
        ("Results in", format!("s3://{}/runs/", place.results_bucket)),
        ("Links", place.link_base_url.clone()),
        ("State", status.state_dir.display().to_string()),
        ("Process", place.pid.to_string()),
    ])
}

fn up_text(status: &LocalStackStatus, foreground: bool, paint: Paint) -> String {
    let dropcast = stack::program();
    let ending = if foreground {
        "Ctrl-C stops it.".to_owned()
    } else {
        format!("`{dropcast} local down` stops it.")
    };
    let (title, advice) = (
        paint.good("The local stack is up"),
        paint.bold("Try, in another terminal:"),
    );
    let facts = facts(status, paint);
    format!(
        "\n{title}. {ending}\n\n{facts}\n{advice}
  {dropcast} model push models/revenue-forecast
  {dropcast} submit models/revenue-forecast/examples/plan-2027.json -m revenue-forecast --wait
  {dropcast} mail --last
"
    )
}
