//! Which calls the SDK makes, told by the SDK itself: each operation is a span that names service and method.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The calls since they were last taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    /// Records every call of the process from now on.
    pub(super) fn record() -> Self {
        let calls = Self::default();
        // There is none yet: a command runs once in a process.
        drop(tracing::subscriber::set_global_default(Recorder(calls.clone())));
        calls
    }

    /// The calls since the last time, each once, with how often it was made: `EC2 DescribeInstances`, `S3 GetBucketAcl (2 times)`.
    pub(super) fn take(&self) -> Vec<String> {
        let mut made = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        made.sort();
        let told = made.chunk_by(|one, other| one == other).filter_map(|same| match same {
            [one] => Some(one.clone()),
            [one, ..] => Some(format!("{one} ({} times)", same.len())),
            [] => None,
        });
        told.collect()
    }
}

struct Recorder(Calls);

/// The method is the field by which the SDK's spans of operations differ from its others.
const METHOD: &str = "rpc.method";

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.fields().field(METHOD).is_some()
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut call = Call::default();
        span.record(&mut call);
        let mut calls = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(format!("{} {}", call.service, call.method));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Call {
    service: String,
    method: String,
}

impl Visit for Call {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "rpc.service" => value.clone_into(&mut self.service),
            METHOD => value.clone_into(&mut self.method),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
