//! An AWS emulator of the test process's own, on a free port.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;

use crate::{REGION, repository, sdk_config};

/// It ends everything that it started when its standard input closes.
const LAUNCHER: &str = "crates/local-stack/emulator/launch.py";

/// A running emulator; it ends with the value, and with this process, however that ends.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    process: Child,
}

/// How to reach the one emulator of this test process, which is started for the first caller.
pub fn aws() -> SdkConfig {
    static EMULATOR: OnceLock<Emulator> = OnceLock::new();
    sdk_config(EMULATOR.get_or_init(|| Emulator::start(REGION)).endpoint())
}

/// The Python interpreter that has the emulator and the AWS CLI: `DROPCAST_PYTHON`, or that of
/// the repository's virtual environment.
pub fn python() -> PathBuf {
    let python = std::env::var_os("DROPCAST_PYTHON")
        .map_or_else(|| repository().join(".venv/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} does not exist; `make setup` makes it, or set DROPCAST_PYTHON",
        python.display()
    );
    python
}

impl Emulator {
    /// Starts one of a region and waits until it answers. Its log and data lie in `tmp/` of the
    /// target folder.
    pub fn start(region: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let folder = target_folder().join(format!("tmp/emulator-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let log = File::create(folder.join("emulator.log")).unwrap();
        let python = python();
        let mut process = Command::new(&python)
            .arg(repository().join(LAUNCHER))
            .env("GATEWAY_PORT", port.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_HOST", "127.0.0.1")
            .env("MINISTACK_REGION", region)
            // Both would listen on fixed ports.
            .env("IOT_MTLS_ENABLED", "0")
            .env("SFTP_ENABLED", "0")
            .env("TMPDIR", &folder)
            .env("STATE_DIR", &folder)
            .env("S3_DATA_DIR", &folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        let deadline = Instant::now() + Duration::from_mins(1);
        while !answers(port) {
            let ended = process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the emulator does not answer; see {}",
                folder.display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            process,
        }
    }

    /// Its URL, without a path.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It has ended, or is about to: nothing is left to be done about an error.
        let _ = self.process.wait();
    }
}

/// Where Cargo builds: the test program lies in `<target>/<profile>/deps/`.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).map(Path::to_owned).unwrap()
}

fn answers(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(
            b"GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        )?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
