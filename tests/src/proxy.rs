//! The proxy between a function and the simulated account: it names and records every call, and breaks those it is told to.
//!
//! A call is forwarded byte for byte on a connection of its own, so that signatures stay valid and no stale connection
//! adds an error that nobody asked for. Each function process gets a proxy of its own.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Poll, Poll as Polled};
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderValue, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::http::response;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep};

use crate::call::Call;
use crate::clock;
use crate::fault::{self, Fault, Kind, SLOW};
use crate::naming::{self, Named};
use crate::socket::{Reset, Socket};

/// Ends the function's process, at once.
pub type Killer = Arc<dyn Fn() + Send + Sync>;

/// A running proxy; it ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    epoch: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    counted: u32,
    // Each rule with the calls that it has counted so far.
    faults: Vec<(Fault, u32)>,
    latency: Duration,
    killer: Option<Killer>,
    // The last answer to each question, for faults that give an old one.
    answers: HashMap<String, (response::Parts, Bytes)>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("counted", &self.counted)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Listens on a free loopback port and forwards to the simulated account.
    pub async fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no loopback port is free")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { upstream, epoch: Instant::now(), state: Mutex::default() });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// What the function gets as `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call so far, in the order in which they arrived.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.with(|state| state.calls.clone())
    }

    /// Milliseconds since the proxy's start, the scale of [`Call::started_ms`].
    #[must_use]
    pub fn now_ms(&self) -> f64 {
        clock::since(self.shared.epoch)
    }

    /// Adds to the time of every call, as the way to a region does.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.with(|state| state.latency = latency);
    }

    /// Replaces the rules of what goes wrong; their counting starts anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.with(|state| {
            state.counted = 0;
            state.faults = faults.into_iter().map(|fault| (fault, 0)).collect();
        });
    }

    /// Says how the function's process is ended by the faults that do so.
    pub fn set_killer(&self, killer: Killer) {
        self.shared.with(|state| state.killer = Some(killer));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a call down and decides what happens to it.
    fn begin(&self, named: &Named) -> (usize, Option<Kind>, Duration) {
        let started_ms = clock::since(self.epoch);
        self.with(|state| {
            let number = named.signed.then(|| {
                state.counted += 1;
                state.counted
            });
            let mut kind = None;
            if let Some(number) = number {
                for (fault, counted) in state.faults.iter_mut().filter(|(fault, _)| fault.names(&named.name))
                {
                    *counted += 1;
                    if kind.is_none() && fault.meets(number, *counted) {
                        kind = Some(fault.kind);
                    }
                }
            }
            state.calls.push(Call {
                number,
                name: named.name.clone(),
                region: named.region.clone(),
                started_ms,
                ended_ms: f64::INFINITY,
                status: None,
                answered: None,
                error: None,
                fault: kind,
                parameters: named.parameters.clone(),
            });
            (state.calls.len() - 1, kind, state.latency)
        })
    }

    /// Writes down what the account answered, before anything becomes of that.
    fn answered(&self, index: usize, status: StatusCode) {
        self.with(|state| {
            if let Some(call) = state.calls.get_mut(index) {
                call.answered = Some(status.as_u16());
            }
        });
    }

    fn end(&self, index: usize, status: Option<StatusCode>, body: &[u8]) {
        let ended_ms = clock::since(self.epoch);
        self.with(|state| {
            if let Some(call) = state.calls.get_mut(index) {
                call.ended_ms = ended_ms;
                call.status = status.map(|status| status.as_u16());
                call.error = status.filter(|status| status.as_u16() >= 400).and_then(|_| error_code(body));
            }
        });
    }

    fn kill(&self) {
        if let Some(killer) = self.with(|state| state.killer.clone()) {
            killer();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let reset = Reset::default();
            let socket = Socket::new(stream, Arc::clone(&reset));
            let answer = service_fn(|request| answer(request, Arc::clone(&shared), Arc::clone(&reset)));
            // A connection that a fault broke ends with an error, as it should.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(socket, answer).await);
        });
    }
}

/// The call was broken on purpose, or the simulated account could not be reached.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call was broken off")
    }
}

impl std::error::Error for Broken {}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    reset: Reset,
) -> Result<Response<Answer>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let named = naming::of(&head, &body);
    let (index, kind, latency) = shared.begin(&named);
    if !latency.is_zero() {
        sleep(latency).await;
    }
    match kind {
        Some(Kind::Hang) => std::future::pending::<()>().await,
        Some(Kind::Reset) => {
            reset.store(true, Ordering::Relaxed);
            shared.end(index, None, &[]);
            return Err(Broken);
        }
        Some(Kind::KillBefore) => {
            shared.kill();
            shared.end(index, None, &[]);
            return Err(Broken);
        }
        _ => {}
    }
    if let Some(refusal) = kind.and_then(|kind| fault::refusal(kind, named.protocol, &named.name)) {
        shared.end(index, Some(refusal.status), refusal.body.as_bytes());
        let mut response = Response::new(Answer::Whole(Full::new(Bytes::from(refusal.body))));
        *response.status_mut() = refusal.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(refusal.content_type));
        return Ok(response);
    }
    let question = format!("{} {}", named.name, named.parameters);
    let old =
        if kind == Some(Kind::Stale) { shared.with(|s| s.answers.get(&question).cloned()) } else { None };
    let (mut answered, bytes) = if let Some(old) = old {
        old
    } else {
        let answer = forward(shared.upstream, head, body).await.map_err(|_| Broken)?;
        shared.answered(index, answer.0.status);
        answer
    };
    shared.with(|state| state.answers.insert(question, (answered.clone(), bytes.clone())));
    if kind == Some(Kind::Slow) {
        sleep(SLOW).await;
    }
    match kind {
        Some(Kind::KillAfter) => {
            shared.kill();
            shared.end(index, None, &[]);
            Err(Broken)
        }
        Some(Kind::Cut) => {
            shared.end(index, None, &[]);
            answered.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len().max(1)));
            Ok(Response::from_parts(answered, Answer::half(bytes.slice(..bytes.len() / 2))))
        }
        _ => {
            shared.end(index, Some(answered.status), &bytes);
            Ok(Response::from_parts(answered, Answer::Whole(Full::new(bytes))))
        }
    }
}

async fn forward(upstream: SocketAddr, mut head: Parts, body: Bytes) -> Result<(response::Parts, Bytes)> {
    for hop in [CONNECTION, EXPECT, TRANSFER_ENCODING] {
        head.headers.remove(hop);
    }
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (mut head, body) = response.into_parts();
    for hop in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        head.headers.remove(hop);
    }
    Ok((head, body.collect().await?.to_bytes()))
}

/// A whole answer, or one that breaks off after its first half.
enum Answer {
    Whole(Full<Bytes>),
    Half(Option<Bytes>, Pin<Box<Sleep>>),
}

impl Answer {
    /// The pause lets the first half leave before the connection ends.
    fn half(first: Bytes) -> Self {
        Self::Half(Some(first).filter(|first| !first.is_empty()), Box::pin(sleep(Duration::from_millis(5))))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Poll<'_>,
    ) -> Polled<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut *self {
            Self::Whole(body) => {
                Pin::new(body).poll_frame(context).map_err(|never: Infallible| match never {})
            }
            Self::Half(first, pause) => match first.take() {
                Some(first) => Polled::Ready(Some(Ok(Frame::data(first)))),
                None => pause.as_mut().poll(context).map(|()| Some(Err(Broken))),
            },
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Half(..) => hyper::body::SizeHint::default(),
        }
    }
}

/// The code in an error answer, XML or JSON.
fn error_code(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    if let Some((_, rest)) = text.split_once("<Code>") {
        return rest.split_once("</Code>").map(|(code, _)| code.to_owned());
    }
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(json.get("__type")?.as_str()?.rsplit('#').next()?.to_owned())
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
