//! Taking one change back, under the operator's credentials. Nothing here stops or deletes a trail: whoever wants that does
//! it by hand, under an exemption.

use tourniquet::error::{Error, aws};
use tourniquet::{Consent, Lead, Reverted};

use super::{Clients, apply, convert, observe};
use crate::change::Change;
use crate::decide::TAG_RESTARTED;
use crate::event::Detail;
use crate::selectors::Selectors;
use crate::trail::{Difference, Insight};

/// Takes one change back. What goes back weakens the trail, so it has to be asked for.
pub(crate) async fn revert(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    let arn = lead.detail.arn().unwrap_or_default();
    let kept = |why: &str| Ok(Reverted::Kept(why.to_owned()));
    match change {
        Change::Create { .. } => kept("the trail stays: it is deleted by hand only, under an exemption"),
        Change::Restart { .. } => {
            kept("the trail goes on logging: it is stopped by hand only, under an exemption")
        }
        Change::StartIngestion => {
            kept("the event data store goes on ingesting: it is stopped by hand only, under an exemption")
        }
        Change::RestoreSettings { differences, .. } => settings(clients, arn, differences, consent).await,
        Change::RestoreSelectors { now: None, .. } => {
            kept("the selectors stay with the trail that was created")
        }
        Change::RestoreSelectors { now: Some(before), then } => {
            selectors(clients, arn, before, then, consent).await
        }
        Change::RestoreInsights { now: before, then } => insights(clients, arn, before, then, consent).await,
        Change::Mark { cause } => unmark(clients, arn, cause, consent).await,
    }
}

const WEAKENS: &str = "it stays: it would weaken the trail again, which is done only when that is asked for";

async fn unmark(clients: &Clients, arn: &str, cause: &str, consent: Consent) -> Result<Reverted, Error> {
    let found = observe::tags(clients, arn).await?.remove(TAG_RESTARTED);
    match found {
        None => return Ok(Reverted::AlreadyThere),
        Some(found) if found != cause => {
            return Ok(Reverted::Drifted { expected: cause.to_owned(), found });
        }
        Some(_) => {}
    }
    let tag = convert::tag(TAG_RESTARTED, cause)?;
    let call = clients.trail.remove_tags().resource_id(arn).tags_list(tag).send();
    consent.restore(async { call.await.map(drop).map_err(|e| aws("cloudtrail:RemoveTags", e)) }).await
}

async fn settings(
    clients: &Clients,
    arn: &str,
    differences: &[Difference],
    consent: Consent,
) -> Result<Reverted, Error> {
    let live = observe::described(clients, arn).await?;
    if differences.iter().all(|d| live.get(d.setting) == d.now) {
        return Ok(Reverted::AlreadyThere);
    }
    let drift: Vec<&Difference> = differences.iter().filter(|d| live.get(d.setting) != d.then).collect();
    if !drift.is_empty() {
        let said = |value: &dyn Fn(&Difference) -> String| {
            let one = |d: &&Difference| format!("{}: {}", d.setting, value(d));
            drift.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let (expected, found) = (said(&|d| d.then.clone()), said(&|d| live.get(d.setting).to_owned()));
        return Ok(Reverted::Drifted { expected, found });
    }
    let before = differences.iter().map(|d| (d.setting, d.now.as_str()));
    consent.release(WEAKENS, apply::update(clients, arn, before)).await
}

async fn selectors(
    clients: &Clients,
    arn: &str,
    before: &Selectors,
    then: &Selectors,
    consent: Consent,
) -> Result<Reverted, Error> {
    let answer = clients.trail.get_event_selectors().trail_name(arn).send().await;
    let live = convert::selectors(&answer.map_err(|e| aws("cloudtrail:GetEventSelectors", e))?);
    if live == *before {
        return Ok(Reverted::AlreadyThere);
    }
    if live != *then {
        return Ok(Reverted::Drifted { expected: then.words(), found: live.words() });
    }
    consent.release(WEAKENS, apply::put_selectors(clients, arn, before)).await
}

async fn insights(
    clients: &Clients,
    arn: &str,
    before: &[Insight],
    then: &[Insight],
    consent: Consent,
) -> Result<Reverted, Error> {
    let mut live = observe::insights(clients, arn).await?;
    let (mut before, mut then) = (before.to_vec(), then.to_vec());
    for list in [&mut live, &mut before, &mut then] {
        list.sort();
    }
    let kinds = |insights: &[Insight]| insights.iter().map(|i| i.kind.clone()).collect::<Vec<_>>().join(", ");
    if live == before {
        return Ok(Reverted::AlreadyThere);
    }
    if live != then {
        return Ok(Reverted::Drifted { expected: kinds(&then), found: kinds(&live) });
    }
    consent.release(WEAKENS, apply::put_insights(clients, arn, &before)).await
}
