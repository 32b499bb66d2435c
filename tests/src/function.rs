//! The shipped binary of a function under AWS's runtime interface emulator, as Lambda would run it.
//!
//! The emulator starts the binary at the first invocation, enforces the timeout and answers over HTTP. Both are
//! processes of groups of their own: they are killed together, by [`Function::stop`], by a fault in the middle of a call,
//! or by the simulated account when the drill itself is gone.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::account::Account;
use crate::clock;

/// The `errorType` of what the emulator says when there is no answer of the function's.
const RUNTIME: &str = "Runtime";

/// What a function process is started with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The function's name.
    pub name: String,
    /// The shipped binary.
    pub binary: PathBuf,
    /// The emulator.
    pub emulator: PathBuf,
    /// Seconds until the emulator ends an invocation.
    pub timeout_s: u32,
    /// Environment variables besides Lambda's own.
    pub environment: Vec<(String, String)>,
}

/// A running function.
#[derive(Debug)]
pub struct Function {
    start: Start,
    child: Child,
    // None once it has been reaped: its number may be another's by then.
    group: Option<u32>,
    address: SocketAddr,
    // Kept from other drills, see `free`.
    _ports: [UdpSocket; 2],
    log: Arc<Mutex<Vec<String>>>,
    killed: Arc<AtomicBool>,
}

/// One line of a run's report, as far as the drill reads it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Report {
    /// The account of the subject.
    pub account: Option<String>,
    /// The region of the subject.
    pub region: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// How the run ended.
    pub outcome: String,
    /// Why.
    pub why: String,
    /// The record in the journal.
    pub record: Option<String>,
    /// What was changed, or would be.
    pub changes: Vec<Change>,
    /// What people must know besides.
    pub notes: Vec<String>,
    /// The command that takes it back.
    pub undo: Option<String>,
    /// Milliseconds of the run.
    pub duration_ms: f64,
}

/// One change of a report.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Change {
    /// Which change.
    pub key: String,
    /// In words.
    pub summary: String,
    /// What was there.
    pub before: Value,
    /// What is there.
    pub after: Value,
}

/// How one invocation ended.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Invocation {
    /// What the function answered, unless it failed.
    pub answer: Option<Value>,
    /// The error that Lambda would see.
    pub error: Option<Failure>,
    /// The reports that it wrote to its log.
    pub reports: Vec<Report>,
    /// Everything that it wrote.
    pub log: Vec<String>,
    /// Milliseconds from the delivery to the answer, the process's start included if this was the first.
    pub wall_ms: f64,
    /// Whether the process was killed before it answered.
    pub killed: bool,
}

/// An error of the function or of the emulator.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Failure {
    /// `errorType`.
    pub error_type: String,
    /// `errorMessage`.
    #[serde(default)]
    pub error_message: String,
}

impl Invocation {
    /// Whether the process ended before it answered: killed by a fault, or by the emulator at the timeout.
    #[must_use]
    pub fn lost_its_process(&self) -> bool {
        self.killed || self.error.as_ref().is_some_and(|error| error.error_type == RUNTIME)
    }
}

impl Function {
    /// Starts the emulator and has its group guarded by the account's process.
    pub async fn start(start: Start, account: &Account) -> Result<Self> {
        // Another process may take a port between our look and the emulator's: try again with others.
        for _ in 0..4 {
            let ((address, ours), (api, too)) = (free()?, free()?);
            let mut child = spawn(&start, address, api)?;
            let group = child.id().context("the emulator ended at once")?;
            account.guard(group).await?;
            let log = Arc::default();
            collect(child.stdout.take(), &log);
            collect(child.stderr.take(), &log);
            // The binary, which the first event starts, gives up at once where its API does not listen.
            if listens(&mut child, api).await && listens(&mut child, address).await {
                let (ports, killed) = ([ours, too], Arc::default());
                return Ok(Self { start, child, group: Some(group), address, _ports: ports, log, killed });
            }
            kill(group);
            child.wait().await?;
            account.release(group).await?;
        }
        bail!("the runtime interface emulator does not listen")
    }

    /// What ends the process at once; for the faults of a proxy.
    #[must_use]
    pub fn killer(&self) -> Arc<dyn Fn() + Send + Sync> {
        let (group, killed) = (self.group, Arc::clone(&self.killed));
        Arc::new(move || {
            killed.store(true, Ordering::Relaxed);
            group.into_iter().for_each(kill);
        })
    }

    /// Delivers an event and waits for the answer.
    pub async fn invoke(&self, event: &Value) -> Result<Invocation> {
        self.send(event.to_string()).await
    }

    /// [`Function::invoke`] with a text that need not be an event, nor JSON.
    pub async fn send(&self, event: impl Into<Bytes>) -> Result<Invocation> {
        let from = self.log.lock().unwrap_or_else(PoisonError::into_inner).len();
        let started = Instant::now();
        let patience = Duration::from_secs(u64::from(self.start.timeout_s) + 15);
        let Ok(body) = timeout(patience, post(self.address, event.into())).await else {
            bail!("{} neither answered nor was ended by its timeout", self.start.name)
        };
        let wall_ms = clock::since(started);
        let mut invocation = Invocation { wall_ms, ..Invocation::default() };
        match body {
            // The emulator may get as far as an answer about the end of the binary before its own.
            _ if self.killed.load(Ordering::Relaxed) => {
                invocation.log = self.since(from);
                invocation.killed = true;
            }
            Err(error) => return Err(error).context("the runtime interface emulator broke off"),
            Ok((status, body)) => {
                self.settle_log(from).await;
                invocation.log = self.since(from);
                read(&mut invocation, status, &body);
            }
        }
        invocation.reports = invocation.log.iter().filter_map(|line| report(line)).collect();
        Ok(invocation)
    }

    /// The most memory that the binary had at any time, in KB; 0 while there is none.
    #[must_use]
    pub fn peak_kb(&self) -> u64 {
        let peak = |id: i32| {
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse().ok()
        };
        self.group.into_iter().flat_map(children).filter_map(peak).max().unwrap_or_default()
    }

    /// Ends the process and reaps it.
    pub async fn stop(mut self, account: &Account) -> Result<()> {
        let Some(group) = self.group.take() else { return Ok(()) };
        kill(group);
        self.child.wait().await?;
        account.release(group).await
    }

    /// The emulator says `REPORT` when an invocation's output is complete; its lines take another way than its answer.
    async fn settle_log(&self, from: usize) {
        for _ in 0..200 {
            if self.since(from).iter().any(|line| line.contains("REPORT RequestId:")) {
                return;
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// What was written after so many lines.
    fn since(&self, from: usize) -> Vec<String> {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(from..).unwrap_or_default().to_vec()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.group.into_iter().for_each(kill);
    }
}

fn spawn(start: &Start, address: SocketAddr, api: SocketAddr) -> Result<Child> {
    Command::new(&start.emulator)
        .arg("--log-level")
        .arg("error")
        .arg("--runtime-interface-emulator-address")
        .arg(address.to_string())
        .arg("--runtime-api-address")
        .arg(api.to_string())
        .arg(&start.binary)
        .env_clear()
        .env("AWS_LAMBDA_FUNCTION_NAME", &start.name)
        .env("AWS_LAMBDA_FUNCTION_TIMEOUT", start.timeout_s.to_string())
        .envs(start.environment.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {}", start.emulator.display()))
}

fn collect(stream: Option<impl AsyncRead + Unpin + Send + 'static>, log: &Arc<Mutex<Vec<String>>>) {
    let Some(stream) = stream else { return };
    let log = Arc::clone(log);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
}

async fn listens(child: &mut Child, address: SocketAddr) -> bool {
    for _ in 0..1000 {
        let reached = TcpStream::connect(address).await.is_ok();
        if !matches!(child.try_wait(), Ok(None)) {
            return false;
        }
        if reached {
            return true;
        }
        sleep(Duration::from_millis(5)).await;
    }
    false
}

async fn post(address: SocketAddr, event: Bytes) -> Result<(StatusCode, Bytes)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post("/2015-03-31/functions/function/invocations")
        .header("host", address.to_string())
        .body(Full::new(event))?;
    let response = sender.send_request(request).await?;
    Ok((response.status(), response.into_body().collect().await?.to_bytes()))
}

/// An error is answered with status 200 too: only its shape tells. A timeout is plain text, a lost process is nothing.
fn read(invocation: &mut Invocation, status: StatusCode, body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if value.get("errorType").is_some() => {
            invocation.error = Some(serde_json::from_value(value).unwrap_or_default());
        }
        Ok(value) => invocation.answer = Some(value),
        Err(_) => {
            let last = invocation.log.iter().rev().take(4).rev().cloned().collect::<Vec<_>>().join(" | ");
            let error_message = if text.is_empty() {
                format!("the process ended, and the emulator answered {status}: {last}")
            } else {
                text.into_owned()
            };
            invocation.error = Some(Failure { error_type: RUNTIME.to_owned(), error_message });
        }
    }
}

/// The emulator may put its own text around a line.
fn report(line: &str) -> Option<Report> {
    let value: Value = serde_json::from_str(line.get(line.find('{')?..)?.trim_end()).ok()?;
    if value.get("tourniquet")?.as_str()? != "report" {
        return None;
    }
    serde_json::from_value(value).ok()
}

/// A free port below those that the kernel gives to outgoing connections: one of those could be taken again before the
/// emulator listens, even by our own attempt to reach it, which then meets itself.
///
/// The UDP port of the same number is the lock by which drills that run side by side keep it from each other: whoever came
/// second would reach the other's emulator, and take it for its own.
fn free() -> Result<(SocketAddr, UdpSocket)> {
    for _ in 0..100 {
        let random = RandomState::new().build_hasher().finish() % 20_000;
        let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + u16::try_from(random)?));
        if let Ok(ours) = UdpSocket::bind(address)
            && TcpListener::bind(address).is_ok()
        {
            return Ok((address, ours));
        }
    }
    bail!("no loopback port is free")
}

/// The emulator gives the binary a process group of its own: both are ended, the emulator first, so that it does not
/// answer for the other.
fn kill(group: u32) {
    let groups = i32::try_from(group).into_iter().chain(children(group)).collect::<Vec<_>>();
    for group in groups.into_iter().filter_map(Pid::from_raw) {
        // Gone already is as good.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The processes that a process has started.
fn children(of: u32) -> Vec<i32> {
    let threads = std::fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().filter_map(Result::ok);
    let lines = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let ids = |line: String| line.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>();
    lines.flat_map(ids).collect()
}
