//! `dropcast local`: the stack on this machine.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use dropcast_api_types::{LocalEndpoints, LocalStatus};
use dropcast_local_stack::{Connection, LocalStack, Registry, stop_requested};

use crate::{
    args::{Common, Local, Up},
    clock,
    exit::{CliError, Exit},
    messages, model_folder,
    progress::StepReporter,
    repository,
    screen::{Screen, Style},
    stack,
};

/// How long a detached stack may take to start; it usually takes a few seconds.
const START_TIMEOUT: Duration = Duration::from_mins(5);

/// How often to check whether a detached stack is up.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

fn describe_stack(connection: &Connection) -> anyhow::Result<LocalEndpoints> {
    let output = |name| connection.output(name).map(str::to_owned);
    Ok(LocalEndpoints {
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

fn status_up(connection: &Connection) -> anyhow::Result<LocalStatus> {
    Ok(LocalStatus {
        up: true,
        state_dir: connection.state.clone(),
        stack: Some(describe_stack(connection)?),
    })
}

fn status_down(state_dir: &Path) -> LocalStatus {
    LocalStatus {
        up: false,
        state_dir: state_dir.to_owned(),
        stack: None,
    }
}

/// Starts, stops or inspects the local stack.
pub async fn run(command: &Local, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    match command {
        Local::Up(args) if args.detach => up_detached(args, common, screen).await,
        Local::Up(args) => Box::pin(up(args, common, screen)).await,
        Local::Down => down(common, screen).await,
        Local::Status => status(common, screen),
    }
}

/// Starts a stack, with its progress on stderr.
pub(crate) async fn start(state_dir: &Path, steps: StepReporter) -> anyhow::Result<LocalStack> {
    let options = repository::locate_options(state_dir)?;
    Box::pin(LocalStack::start(options, &steps))
        .await
        .map_err(explain_start_error)
}

fn explain_start_error(error: dropcast_local_stack::Error) -> anyhow::Error {
    use dropcast_local_stack::Error;
    match &error {
        Error::Missing { .. } => CliError::new(Exit::NotFound, error.to_string()).into(),
        Error::AlreadyUp { .. } => CliError::new(Exit::NoStack, error.to_string()).into(),
        Error::Emulator { .. } | Error::Deployment { .. } => {
            CliError::new(Exit::NoStack, error.to_string())
                .advice("If these lines do not help, report them.")
                .into()
        }
        _ => error.into(),
    }
}

async fn up(args: &Up, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let starting = async {
        let stack = start(&common.state_dir, StepReporter::new(screen)).await?;
        if let Err(error) = register(&args.register, stack.connection(), screen).await {
            stack.stop().await;
            return Err(error);
        }
        anyhow::Ok(stack)
    };
    // Dropping the future stops what it has started.
    let mut stack = tokio::select! {
        started = starting => started?,
        asked = stop_requested() => {
            asked?;
            return Err(CliError::new(Exit::Interrupted, "Interrupted before the stack was up.").into());
        }
    };
    let document = status_up(stack.connection())?;
    screen.show(&document, |style| render_up(&document, true, style))?;
    let broken = tokio::select! {
        asked = stop_requested() => asked.err(),
        why = stack.failed() => Some(why),
    };
    if screen.live {
        // The terminal has printed ^C at the beginning of this line.
        screen.note("");
    }
    screen.note("Stopping the local stack …");
    stack.stop().await;
    if let Some(error) = broken {
        return Err(explain_start_error(error));
    }
    screen.note("The local stack is down.");
    Ok(Exit::Done)
}

/// Starts a stack in the background, unless one is up, then registers models.
async fn up_detached(args: &Up, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let connection = match Connection::attach(&common.state_dir) {
        Ok(standing) => standing,
        Err(_) => spawn(&common.state_dir, screen).await?,
    };
    register(&args.register, &connection, screen).await?;
    let document = status_up(&connection)?;
    screen.show(&document, |style| render_up(&document, false, style))?;
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
        // In its own process group it does not receive the terminal's Ctrl-C.
        .process_group(0)
        .spawn()
        .context("starting the process of the stack")?;
    let spinner = screen
        .live
        .then(|| crate::progress::start_spinner("starting the local stack"));
    let started = Instant::now();
    let connection = loop {
        if let Ok(connection) = Connection::attach(state_dir) {
            break connection;
        }
        if child.try_wait()?.is_some() {
            let output = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(CliError::new(
                Exit::NoStack,
                format!("The local stack did not start:\n{}", output.trim_end()),
            )
            .into());
        }
        if started.elapsed() > START_TIMEOUT {
            child.start_kill()?;
            return Err(CliError::new(
                Exit::TimedOut,
                format!(
                    "The local stack did not start within {}; see {}.",
                    messages::format_whole_duration(START_TIMEOUT),
                    log.display()
                ),
            )
            .into());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    };
    if let Some(bar) = spinner {
        bar.finish_and_clear();
    }
    Ok(connection)
}

/// Registers the folders of models, with the progress on stderr.
async fn register(
    folders: &[PathBuf],
    connection: &Connection,
    screen: Screen,
) -> anyhow::Result<()> {
    let steps = StepReporter::new(screen);
    for folder in folders {
        let registry = Registry::of(connection)?;
        let register = dropcast_local_stack::register(folder, &registry, clock::now(), &steps);
        Box::pin(register)
            .await
            .map_err(model_folder::explain_folder_error)?;
    }
    Ok(())
}

async fn down(common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let document = status_down(&common.state_dir);
    let Ok(connection) = Connection::attach(&common.state_dir) else {
        screen.show(&document, |_| {
            format!(
                "No local stack is running in {}.\n",
                common.state_dir.display()
            )
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
            screen.show(&document, |style| render_status(&document, style))?;
            Ok(Exit::Done)
        }
        Err(dropcast_local_stack::Error::NotUp { .. }) => {
            let document = status_down(&common.state_dir);
            screen.show(&document, |_| {
                format!(
                    "No local stack is running in {}. Start one with `{} local up`.\n",
                    common.state_dir.display(),
                    stack::local_command(&common.state_dir)
                )
            })?;
            Ok(Exit::NoStack)
        }
        Err(_) => Err(stack::attach(&common.state_dir).err().map_or_else(
            || anyhow::anyhow!("the local stack has just started"),
            Into::into,
        )),
    }
}

fn render_status(status: &LocalStatus, style: Style) -> String {
    let Some(place) = &status.stack else {
        return String::new();
    };
    style.format_fields(&[
        ("AWS endpoint", place.endpoint.clone()),
        ("Batch endpoint", place.batch_endpoint.clone()),
        ("CodeBuild endpoint", place.codebuild_endpoint.clone()),
        ("Region", place.region.clone()),
        ("Stack", place.stack_name.clone()),
        (
            "Upload files to",
            format!("s3://{}/inputs/<model>/", place.inputs_bucket),
        ),
        ("Results in", format!("s3://{}/runs/", place.results_bucket)),
        ("Links", place.link_base_url.clone()),
        ("State", status.state_dir.display().to_string()),
        ("Process", place.pid.to_string()),
    ])
}

fn render_up(status: &LocalStatus, foreground: bool, style: Style) -> String {
    let dropcast = stack::local_command(&status.state_dir);
    let ending = if foreground {
        "Press Ctrl-C to stop it.".to_owned()
    } else {
        format!("Stop it with `{dropcast} local down`.")
    };
    let (title, advice) = (
        style.success("The local stack is up"),
        style.bold(if foreground {
            "Try, in another terminal:"
        } else {
            "Try:"
        }),
    );
    let status = render_status(status, style);
    format!(
        "\n{title}. {ending}\n\n{status}\n{advice}
  {dropcast} model push models/revenue-forecast
  {dropcast} submit models/revenue-forecast/examples/plan-2027.json -m revenue-forecast --wait
  {dropcast} mail --last
"
    )
}
