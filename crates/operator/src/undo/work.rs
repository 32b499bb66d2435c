//! The changes themselves: newest first, each looked at before it is taken back and read back after.

use std::time::Duration;

use aws_types::SdkConfig;
use serde_json::Value;
use tourniquet::error::Error;
use tourniquet::plan::Recorded;
use tourniquet::{Consent, Lead, Reverted, clock};

use super::fate::{Fate, Status};
use super::store::Open;
use crate::failure::Failure;
use crate::functions::Function;
use crate::words::plain;

/// How often a change that was taken back is read back; AWS may show it late.
const LOOKS: u32 = 6;
/// The wait before the second such look; it doubles.
const FIRST_LOOK: Duration = Duration::from_millis(250);

/// One record's changes and who takes them back.
pub(super) struct Work<'a> {
    pub(super) function: &'a dyn Function,
    pub(super) sdk: &'a SdkConfig,
    pub(super) lead: &'a Lead<Value>,
    pub(super) consent: Consent,
}

impl Work<'_> {
    /// What would become of each change.
    pub(super) async fn look(&self, steps: &[&Recorded]) -> Result<Vec<Fate>, Failure> {
        let mut fates = Vec::new();
        for step in steps {
            let fate = self.seen(step).await.map_err(|error| {
                Failure::Failed(format!(
                    "{} cannot be looked at, so nothing was changed: {error}",
                    plain(&step.key)
                ))
            })?;
            fates.push(fate);
        }
        Ok(fates)
    }

    /// The scopes to exempt: the whole subject covers all others.
    pub(super) fn scopes(&self, steps: &[&Recorded]) -> Result<Vec<Option<String>>, Error> {
        let mut scopes = Vec::new();
        for step in steps {
            scopes.extend(self.function.scopes(self.lead, &step.change)?);
        }
        scopes.sort();
        scopes.dedup();
        if scopes.is_empty() || scopes.contains(&None) {
            scopes = vec![None];
        }
        Ok(scopes)
    }

    /// Takes each change back. One that fails does not stop the others: each is judged by what is there.
    pub(super) async fn take_back(
        &self,
        steps: &[&Recorded],
        open: &mut Open<'_>,
    ) -> Result<Vec<Fate>, Failure> {
        let mut fates = Vec::new();
        for step in steps {
            let call = self.function.revert(self.sdk, self.lead, &step.change, self.consent);
            fates.push(Fate::taken(step, open.hold(call).await?));
        }
        for (step, fate) in steps.iter().zip(&mut fates) {
            if fate.status == Status::Restored
                && let Some(why) = open.hold(self.missing(step)).await?
            {
                *fate = fate.clone().lost(why);
            }
        }
        Ok(fates)
    }

    /// Why a change that was taken back does not show, if it does not.
    async fn missing(&self, step: &Recorded) -> Option<String> {
        let mut said = String::new();
        for look in 0..LOOKS {
            match self.function.revert(self.sdk, self.lead, &step.change, Consent::Look).await {
                Ok(Reverted::AlreadyThere | Reverted::Kept(_)) => return None,
                Ok(other) => said = format!("it was put back and does not show: {other:?}"),
                Err(error) => said = format!("it was put back and cannot be read back: {error}"),
            }
            clock::pause(FIRST_LOOK * 2_u32.pow(look)).await;
        }
        Some(said)
    }

    async fn seen(&self, step: &Recorded) -> Result<Fate, Error> {
        let seen = self.function.revert(self.sdk, self.lead, &step.change, Consent::Look).await;
        Fate::looked(step, seen, self.consent == Consent::Explicit)
    }
}
