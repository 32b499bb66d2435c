//! A light stand-in for the simulated account in a flood: security groups, the journal's table and the topic, in memory.
//!
//! moto answers some 200 requests a second; this answers many thousands, so that what is measured is the functions. It knows
//! the calls of revoke-open-ingress for an event and answers any other with an error.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::journal::Table;
use crate::fault::{self, Kind};
use crate::naming::{self, Named, Protocol};
use crate::proxy::Killer;

/// How long DynamoDB is at a transaction: another one on the same items collides with it.
const TRANSACTION: Duration = Duration::from_millis(5);

/// What goes wrong by itself: each in so many calls, for no other reason.
const THROTTLED: u64 = 199;
const FAILED: u64 = 503;
const KILLED: u64 = 2_003;

/// The running stand-in; it ends when it is dropped.
#[derive(Debug)]
pub(super) struct Cloud {
    state: Arc<Mutex<State>>,
    doors: Vec<JoinHandle<()>>,
}

/// What is there.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The groups that are open to the world.
    pub(super) open: BTreeSet<String>,
    /// How often each group was closed.
    pub(super) closed: BTreeMap<String, usize>,
    /// The subjects of the messages, without the group.
    pub(super) messages: BTreeMap<String, usize>,
    /// The journal.
    pub(super) table: Table,
    /// Calls in all.
    pub(super) calls: u64,
    /// Calls that were throttled or failed.
    pub(super) refused: u64,
    /// Processes that were killed in the middle of a call.
    pub(super) kills: u64,
    /// Transactions that collided.
    pub(super) collisions: u64,
}

/// The process behind a door, which can be killed.
pub(super) type Behind = Arc<Mutex<Option<Killer>>>;

impl Cloud {
    /// An account in which these groups are open.
    pub(super) fn with(open: BTreeSet<String>) -> Self {
        Self { state: Arc::new(Mutex::new(State { open, ..State::default() })), doors: Vec::new() }
    }

    /// An endpoint for one process.
    pub(super) async fn door(&mut self) -> Result<(String, Behind)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no loopback port is free")?;
        let address: SocketAddr = listener.local_addr()?;
        let (state, behind) = (Arc::clone(&self.state), Behind::default());
        let process = Arc::clone(&behind);
        self.doors.push(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state), Arc::clone(&process)));
            }
        }));
        Ok((format!("http://{address}"), behind))
    }

    /// Looks at what is there.
    pub(super) fn see<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.doors.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(stream: TcpStream, state: Arc<Mutex<State>>, behind: Behind) {
    let answer = service_fn(|request| answer(request, Arc::clone(&state), Arc::clone(&behind)));
    // A killed process leaves its connection broken.
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await);
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
    behind: Behind,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let named = naming::of(&head, &body);
    let with = |change: &mut dyn FnMut(&mut State) -> Answer| {
        change(&mut state.lock().unwrap_or_else(PoisonError::into_inner))
    };
    let said = if let Some(trouble) = with(&mut |state| state.trouble(&named, &behind)) {
        trouble
    } else if named.name == "dynamodb:TransactWriteItems" {
        if let Some(refused) = with(&mut |state| state.begin(&named.parameters)) {
            refused
        } else {
            tokio::time::sleep(TRANSACTION).await;
            with(&mut |state| Some(state.table.commit(&named.parameters))).unwrap_or_default()
        }
    } else {
        with(&mut |state| Some(state.carry_out(&named))).unwrap_or_default()
    };
    let mut response = Response::new(Full::new(Bytes::from(said.body)));
    *response.status_mut() = said.status;
    let kind = if named.protocol == Protocol::Json {
        "application/x-amz-json-1.0"
    } else {
        "text/xml;charset=UTF-8"
    };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// What is answered, if it is already decided.
type Answer = Option<Said>;

/// An answer.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Said {
    pub(super) fn ok(body: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, body: body.into() }
    }

    /// A refusal of DynamoDB's.
    pub(super) fn refused(code: &str, more: Value) -> Self {
        let mut body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": code});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        Self { status: StatusCode::BAD_REQUEST, body: body.to_string() }
    }
}

impl State {
    /// What goes wrong by itself.
    fn trouble(&mut self, named: &Named, behind: &Behind) -> Answer {
        if !named.signed {
            return Some(Said::ok(""));
        }
        self.calls += 1;
        if self.calls.is_multiple_of(KILLED)
            && let Some(killer) = behind.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
        {
            self.kills += 1;
            killer();
            return Some(Said::default());
        }
        let kind = match self.calls {
            calls if calls.is_multiple_of(THROTTLED) => Kind::Throttle,
            calls if calls.is_multiple_of(FAILED) => Kind::Error500,
            _ => return None,
        };
        self.refused += 1;
        let refusal = fault::refusal(kind, named.protocol, &named.name)?;
        Some(Said { status: refusal.status, body: refusal.body })
    }

    fn begin(&mut self, asked: &Value) -> Answer {
        let refused = self.table.begin(asked)?;
        self.collisions += u64::from(refused.body.contains("TransactionConflict"));
        Some(refused)
    }

    fn carry_out(&mut self, named: &Named) -> Said {
        let text = |name: &str| named.parameters.get(name).and_then(Value::as_str).unwrap_or_default();
        match named.name.as_str() {
            "ec2:DescribeSecurityGroups" => Said::ok(group(text("GroupId.1"))),
            "ec2:DescribeSecurityGroupRules" => {
                let id = text("Filter.1.Value.1");
                Said::ok(rules(id, self.open.contains(id)))
            }
            "ec2:RevokeSecurityGroupIngress" => {
                let id = text("GroupId");
                if text("SecurityGroupRuleId.1") == rule(id) && self.open.remove(id) {
                    *self.closed.entry(id.to_owned()).or_default() += 1;
                }
                Said::ok(ec2("RevokeSecurityGroupIngress", "<return>true</return>"))
            }
            "sns:Publish" => {
                let said = text("Subject").split_whitespace().nth(1).unwrap_or_default();
                *self.messages.entry(said.trim_end_matches(':').to_owned()).or_default() += 1;
                Said::ok(
                    "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>\
                     0</MessageId></PublishResult></PublishResponse>",
                )
            }
            "dynamodb:Query" => self.table.query(&named.parameters),
            "dynamodb:PutItem" => self.table.put(&named.parameters),
            "dynamodb:UpdateItem" => self.table.tell(&named.parameters),
            other => {
                Said { status: StatusCode::NOT_IMPLEMENTED, body: format!("the flood knows no {other}") }
            }
        }
    }
}

/// The id of a group's rule that is open to the world.
fn rule(group: &str) -> String {
    group.replacen("sg-", "sgr-", 1)
}

fn ec2(operation: &str, inner: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">{inner}</{operation}Response>"
    )
}

fn group(id: &str) -> String {
    let item = format!(
        "<item><ownerId>111122223333</ownerId><groupId>{id}</groupId><groupName>servers</groupName>\
         <groupDescription>Servers</groupDescription><vpcId>vpc-1</vpcId></item>"
    );
    ec2("DescribeSecurityGroups", &format!("<securityGroupInfo>{item}</securityGroupInfo>"))
}

/// The office's rule, and the attacker's while it is there.
fn rules(id: &str, open: bool) -> String {
    let mut items = String::new();
    let office = Some(("sgr-0ff1ce0ff1ce0ff1c".to_owned(), "198.51.100.0/24"));
    for (rule, block) in office.into_iter().chain(open.then(|| (rule(id), "0.0.0.0/0"))) {
        let _ = write!(
            items,
            "<item><securityGroupRuleId>{rule}</securityGroupRuleId><groupId>{id}</groupId><groupOwnerId>111122223333\
             </groupOwnerId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>3389</fromPort>\
             <toPort>3389</toPort><cidrIpv4>{block}</cidrIpv4></item>"
        );
    }
    ec2("DescribeSecurityGroupRules", &format!("<securityGroupRuleSet>{items}</securityGroupRuleSet>"))
}
