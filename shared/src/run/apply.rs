//! Applying a plan: wave after wave, the steps of a wave side by side, each only if what it needs succeeded.

use tokio::time::Instant;

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
            let record = self.record_id();
            let results = futures_util::future::join_all(ready.iter().map(|step| {
                Box::pin(R::apply(
                    &self.clients,
                    self.lead,
                    &record,
                    &step.change,
                    &self.engine.config.settings,
                ))
            }))
            .await;
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

    /// The id of the record; one that the journal did not take has the same id, so that it can be found later.
    pub(super) fn record_id(&self) -> String {
        self.record.as_ref().map_or_else(|| self.draft("").0.id(), Record::id)
    }
}

fn skipped(need: &str) -> Error {
    Error::Aws {
        call: "none",
        code: "Skipped".to_owned(),
        message: format!("not tried at {}, because {need} failed", clock::now()),
        class: crate::error::Class::Rejected,
    }
}
