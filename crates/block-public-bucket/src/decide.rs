//! What to do about a bucket, or about the block of an account. Pure: no client, no clock, no environment.
//!
//! A bucket that the public cannot get into is safe, whatever its settings are called, unless `require_block` asks for
//! more. The default answer is the bucket's own block, which ends every way in at once and takes nothing apart.

use tourniquet::plan::Step;
use tourniquet::{Lead, Outcome, Ruling, Standing, Verdict};

use crate::block::Block;
use crate::change::{Change, configured};
use crate::event::Detail;
use crate::exposure::{Exposure, effective};
use crate::observation::{Bucket, Observation, Rest, Seen};
use crate::policy::Policy;
use crate::settings::Settings;

/// Decides about one subject.
pub(crate) fn decide(
    lead: &Lead<Detail>,
    seen: &Observation,
    settings: &Settings,
    standing: &Standing,
) -> Verdict<Change> {
    match &seen.seen {
        Seen::Bucket(bucket) => decide_bucket(lead, bucket, settings, standing),
        Seen::Account(block) => decide_account(*block, settings),
        Seen::Managed(words) => Verdict::new(
            Ruling::Leave(Outcome::Observed),
            format!(
                "AWS refuses to show the Block Public Access of account {}, as it does where the organisation manages \
                 it: {words}. Each bucket is judged by its own block",
                lead.subject
            ),
        ),
    }
}

fn decide_bucket(
    lead: &Lead<Detail>,
    bucket: &Bucket,
    settings: &Settings,
    standing: &Standing,
) -> Verdict<Change> {
    let block = effective(bucket);
    let exposure = Exposure::of(bucket);
    let own = bucket.block.unwrap_or_default();
    if exposure.is_public() {
        let why = format!("the bucket is public {}", exposure.words());
        let mut notes = notes(bucket, &exposure, settings);
        if bucket.region != lead.place.region {
            notes.push(format!("the bucket is in {}, not where the event said", bucket.region));
        }
        let ruling = if settings.surgical {
            surgical(bucket, &exposure, standing, &mut notes)
        } else {
            Ruling::Act(vec![put_block(bucket)])
        };
        return Verdict::new(ruling, why).with_notes(notes);
    }
    if settings.require_block && own != Block::FULL {
        let why = format!(
            "the bucket is not public, but its Block Public Access is not fully on ({}), see `require_block`",
            configured(bucket.block)
        );
        return Verdict::new(Ruling::Act(vec![put_block(bucket)]), why);
    }
    if !exposure.unknown.is_empty() {
        let why = format!(
            "it cannot be judged whether the bucket is public: {}. Does its policy lock this function out?",
            exposure.unknown.join("; ")
        );
        return Verdict::new(Ruling::Leave(Outcome::Failed), why);
    }
    let why = if block.ends_exposure() {
        "Block Public Access keeps the public out"
    } else {
        "neither policy nor ACL nor access points let the public in"
    };
    Verdict::new(Ruling::Safe, why).with_notes(left_notes(bucket, settings))
}

fn put_block(bucket: &Bucket) -> Step<Change> {
    Step::new(0, Change::Block { region: bucket.region.clone(), before: bucket.block })
}

/// Only what is public goes. What cannot be taken out alone is answered with the block, which then is all that is needed.
fn surgical(
    bucket: &Bucket,
    exposure: &Exposure,
    standing: &Standing,
    notes: &mut Vec<String>,
) -> Ruling<Change> {
    let trimmed = standing.planned.iter().any(|step| step.key == "trim-policy");
    if exposure.policy && exposure.statements.is_empty() && trimmed {
        // S3's verdict follows the policy with a delay.
        return Ruling::Wait;
    }
    if let Some(steps) = cuts(bucket, exposure) {
        return Ruling::Act(steps);
    }
    notes.push(
        "not everything that is public can be taken out alone, so the block was put on instead".to_owned(),
    );
    Ruling::Act(vec![put_block(bucket)])
}

/// The steps that take out what is public; none if there is something public that no such step ends.
fn cuts(bucket: &Bucket, exposure: &Exposure) -> Option<Vec<Step<Change>>> {
    let region = &bucket.region;
    let rest = bucket.rest.as_ref().filter(|_| exposure.points.is_empty())?;
    let mut steps = Vec::new();
    if exposure.policy {
        let before = rest.policy.as_ref().ok()?.clone()?;
        let statements = Some(exposure.statements.clone()).filter(|s| !s.is_empty())?;
        let after = Policy::parse(&before).ok()?.without_public();
        steps.push(Step::new(0, Change::TrimPolicy { region: region.clone(), statements, before, after }));
    }
    if !exposure.grants.is_empty() {
        let before = rest.acl.as_ref().ok()?.clone();
        let after = before.without_public();
        steps.push(Step::new(0, Change::TrimAcl { region: region.clone(), before, after }));
    }
    Some(steps)
}

/// What people must know of a bucket that is made private.
fn notes(bucket: &Bucket, exposure: &Exposure, settings: &Settings) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(rest) = &bucket.rest else { return notes };
    if rest.website {
        notes.push("a website was served from this bucket; it is no longer open to the public".to_owned());
    }
    if let Some(block) = bucket.block.filter(|block| block.block_acls || block.block_policy) {
        notes.push(format!(
            "its block ({block}) refuses what is new and public; it does not end what was public before it"
        ));
    }
    if exposure.policy && !settings.surgical {
        notes.push(
            "RestrictPublicBuckets also keeps out other accounts that the same policy names; see `surgical`"
                .to_owned(),
        );
    }
    notes.extend(exposure.unknown.iter().map(|problem| format!("not judged: {problem}")));
    notes.extend(account_note(rest));
    notes.extend(left_notes(bucket, settings));
    notes
}

/// What the block would cover and the surgical answer does not look at.
fn left_notes(bucket: &Bucket, settings: &Settings) -> Vec<String> {
    let counted = |rest: &Rest| rest.owner_enforced != Ok(true) && !effective(bucket).ignore_acls;
    let note = bucket.rest.as_ref().filter(|rest| settings.surgical && counted(rest)).map(|_| {
        "ACLs count in this bucket, and those of single objects are not looked at: an object may still be public \
         by its own ACL"
            .to_owned()
    });
    note.into_iter().collect()
}

fn account_note(rest: &Rest) -> Option<String> {
    let problem = rest.account.as_ref().err()?;
    Some(format!("the account's block could not be read and was not counted: {problem}"))
}

/// The block of a whole account reaches far, so it is put back only where the settings say so.
fn decide_account(block: Option<Block>, settings: &Settings) -> Verdict<Change> {
    if block == Some(Block::FULL) {
        return Verdict::new(Ruling::Safe, "the account's Block Public Access is fully on");
    }
    let why = format!("the account's Block Public Access was removed or weakened ({})", configured(block));
    if settings.restore_account_block {
        let step = Step::new(0, Change::RestoreAccountBlock { before: block });
        return Verdict::new(Ruling::Act(vec![step]), why);
    }
    let why = format!(
        "{why}; it is left so, see `restore_account_block`. Buckets that only it kept private are answered by the next \
         sweep"
    );
    Verdict::new(Ruling::Leave(Outcome::Observed), why)
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "innocent_tests.rs"]
mod innocents;
