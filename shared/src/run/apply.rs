//! Applying a plan: wave after wave, the steps of a wave side by side, each only if what it needs succeeded, and all only while
//! the record is ours.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use tokio::time::Instant;

use super::open::lease;
use super::{MARGIN, Run};
use crate::clock;
use crate::error::Error;
use crate::journal::Record;
use crate::plan::{Change, Step};
use crate::room::Room;

impl<R: Room> Run<'_, R> {
    /// Applies recorded steps. A step that fails is kept with its error; the others go on.
    pub(super) async fn apply(&mut self, steps: Vec<Step<R::Change>>) {
        let mut waves: Vec<u8> = steps.iter().map(|s| s.wave).collect();
        waves.sort_unstable();
        waves.dedup();
        for wave in waves {
            // No new change is begun when there is no time left to prove it.
            if Instant::now() + MARGIN >= self.invocation.deadline {
                return;
            }
            let (ready, blocked): (Vec<_>, Vec<_>) = steps
                .iter()
                .filter(|s| s.wave == wave)
                .partition(|s| s.needs.iter().all(|need| !self.failed.contains_key(need)));
            for step in blocked {
                let need =
                    step.needs.iter().find(|n| self.failed.contains_key(*n)).cloned().unwrap_or_default();
                self.failed.insert(step.change.key(), skipped(&need));
            }
            if !self.renew().await {
                return;
            }
            let record = self.record_id();
            let (clients, lead, engine) = (Arc::clone(&self.clients), self.lead, self.engine);
            let calls = ready.iter().map(|step| {
                Box::pin(R::apply(&clients, lead, &record, &step.change, &engine.config.settings))
            });
            let mut calls = join_all(calls);
            let half = half_of(engine.config.lease_seconds);
            let results = loop {
                tokio::select! {
                    results = &mut calls => break results,
                    () = tokio::time::sleep(half) => {}
                }
                // The calls go on meanwhile; a write that was begun is not broken off.
                let renewing = std::pin::pin!(self.renew());
                if let Either::Left((results, renewing)) = select(&mut calls, renewing).await {
                    renewing.await;
                    break results;
                }
            };
            let keys: Vec<String> = ready.iter().map(|s| s.change.key()).collect();
            for (key, result) in keys.into_iter().zip(results) {
                match result {
                    Ok(()) => {
                        self.done.insert(key);
                    }
                    Err(error) => {
                        self.failed.insert(key, error);
                    }
                }
            }
        }
    }

    /// Renews the lease when half of it is over. False when the record has become another run's, or a human is taking it back:
    /// then no new change is begun.
    async fn renew(&mut self) -> bool {
        let seconds = self.engine.config.lease_seconds;
        let Some(record) = self.record.as_mut() else { return true };
        let (now, until) = (clock::now(), record.lease);
        if now.duration_until(until).unsigned_abs() > half_of(seconds) && until > now {
            return true;
        }
        record.lease = lease(seconds);
        match self.engine.journal.save(record).await {
            Ok(()) => true,
            Err(error) => {
                record.lease = until;
                until > clock::now() && !matches!(error, Error::LostRecord { .. })
            }
        }
    }

    /// The id of the record; one that the journal did not take has the same id, so that it can be found later.
    pub(super) fn record_id(&self) -> String {
        self.record.as_ref().map_or_else(|| self.draft("").0.id(), Record::id)
    }
}

fn half_of(lease_seconds: u32) -> Duration {
    Duration::from_secs(u64::from(lease_seconds)) / 2
}

fn skipped(need: &str) -> Error {
    Error::Aws {
        call: "none",
        code: "Skipped".to_owned(),
        message: format!("not tried at {}, because {need} failed", clock::now()),
        class: crate::error::Class::Rejected,
    }
}
