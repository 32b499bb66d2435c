//! What to do about a trail, an event data store, a bucket or a key. Pure: no client, no clock, no environment.
//!
//! Every step is decided from what is there now: one that is done already is not in the plan, so the same decision after
//! the changes is the proof that they hold. Only what was changed away from the baseline to the worse goes back.

use tourniquet::plan::{Recorded, Step};
use tourniquet::{Lead, Outcome, Ruling, Standing, Verdict};

use crate::change::Change;
use crate::event::Detail;
use crate::health::{self, Harm, scope};
use crate::name;
use crate::observation::{Observation, Seen, Trail, User};
use crate::settings::Settings;
use crate::trail::{Baseline, Difference, Setting};

/// Tag that says for which cause we restarted something that the journal could not take.
pub(crate) const TAG_RESTARTED: &str = "tourniquet:restarted";

const DELIVERS: &str = "the trail is logging and delivers";

/// The waves of a plan. `CloudTrail` answers changes of one trail that overlap with `ConflictException`, so each has its own.
mod wave {
    pub(super) const CREATE: u8 = 0;
    pub(super) const RESTART: u8 = 1;
    pub(super) const SETTINGS: u8 = 2;
    pub(super) const SELECTORS: u8 = 7;
    pub(super) const INSIGHTS: u8 = 8;
    pub(super) const MARK: u8 = 9;
}

/// What a trail delivers to, where it is not known by its name.
const THEIRS: &str = "of the trail";

/// Decides about one subject.
pub(crate) fn decide(
    lead: &Lead<Detail>,
    seen: &Observation,
    settings: &Settings,
    standing: &Standing<Baseline>,
) -> Verdict<Change> {
    let case = Case { lead, seen, settings, standing };
    match &seen.seen {
        Seen::Foreign => case.foreign(),
        Seen::NoTrail => case.deleted(),
        Seen::Trail(trail) => case.trail(trail),
        Seen::Store(status) => case.store(status),
        Seen::Bucket(bucket, users) => case.used(users, health::of_bucket(bucket, settings), &bucket.name),
        Seen::Key(key, users) => case.used(users, health::of_key(key).into_iter().collect(), THEIRS),
        Seen::Unused => Verdict::new(Ruling::Safe, "no trail uses it"),
    }
}

/// What a trail is like, if it is fit to be come back to: it is logging, delivers, and records something.
pub(crate) fn baseline(seen: &Observation) -> Option<Baseline> {
    let Seen::Trail(trail) = &seen.seen else { return None };
    // Retention is of the settings; what loses logs is not.
    let lost = health::of_trail(trail, &Settings::default()).iter().any(Harm::loses_logs);
    if !seen.full || !seen.unread.is_empty() || !trail.logging || lost {
        return None;
    }
    let selectors = trail.selectors.clone()?;
    if selectors.record_nothing() {
        return None;
    }
    let mut tags = seen.tags.clone();
    tags.remove(TAG_RESTARTED);
    Some(Baseline { trail: trail.settings.clone()?, selectors, insights: trail.insights.clone()?, tags })
}

/// The restart of a run that the journal did not take, from the tag that it left.
pub(crate) fn recover(lead: &Lead<Detail>, seen: &Observation) -> Vec<Recorded> {
    let ours = seen.tags.get(TAG_RESTARTED) == Some(&lead.cause.digest());
    let started = match &seen.seen {
        Seen::Trail(trail) if ours && trail.logging => Change::Restart { stopped: trail.stopped },
        Seen::Store(status) if ours && is_ingesting(status) => Change::StartIngestion,
        _ => return Vec::new(),
    };
    vec![Recorded::of(&started), Recorded::of(&Change::Mark { cause: lead.cause.digest() })]
}

fn is_ingesting(status: &str) -> bool {
    matches!(status, "ENABLED" | "STARTING_INGESTION")
}

fn leave(outcome: Outcome, why: impl Into<String>) -> Verdict<Change> {
    Verdict::new(Ruling::Leave(outcome), why)
}

/// A step and what is wrong that it mends.
struct Mending {
    step: Step<Change>,
    wrong: String,
}

struct Case<'a> {
    lead: &'a Lead<Detail>,
    seen: &'a Observation,
    settings: &'a Settings,
    standing: &'a Standing<Baseline>,
}

impl Case<'_> {
    fn act(&self, mut steps: Vec<Step<Change>>, why: String) -> Verdict<Change> {
        if self.standing.unrecorded {
            let started: Vec<String> =
                steps.iter().map(|step| tourniquet::Change::key(&step.change)).collect();
            let cause = self.lead.cause.digest();
            steps.push(Step::new(wave::MARK, Change::Mark { cause }).after(started));
        }
        Verdict::new(Ruling::Act(steps), why)
    }

    fn foreign(&self) -> Verdict<Change> {
        let arn = self.lead.detail.arn().unwrap_or_default();
        let owner = name::place_of(arn).map_or_else(|| "another account".to_owned(), |place| place.account);
        let why = format!(
            "{arn} belongs to account {owner}, seen from {}: an organisation's, which only that account can change; look \
             there, or add {owner} to `accounts`",
            self.lead.place.account
        );
        leave(Outcome::Observed, why)
    }

    /// A trail that is not there. There is no failure that a retry could mend without a baseline, so that is reported.
    fn deleted(&self) -> Verdict<Change> {
        if self.standing.unrecorded {
            let why = "the trail does not exist, and the journal, which knows what it was, cannot be reached";
            return leave(Outcome::Failed, why);
        }
        let Some(baseline) = &self.standing.baseline else {
            let (trail, region) = (&self.lead.subject, &self.lead.place.region);
            let why = format!(
                "the trail does not exist, and no baseline tells what it was: `aws cloudtrail create-trail --region {region} \
                 --name {trail} --s3-bucket-name … --is-multi-region-trail --enable-log-file-validation`, then `aws \
                 cloudtrail start-logging --region {region} --name {trail}`"
            );
            return leave(Outcome::Observed, why);
        };
        let create = Change::Create { baseline: Box::new(baseline.clone()) };
        let created = [tourniquet::Change::key(&create)];
        let after = |wave, change| Step::new(wave, change).after(created.clone());
        let mut steps = vec![
            Step::new(wave::CREATE, create),
            after(wave::RESTART, Change::Restart { stopped: None }),
            after(wave::SELECTORS, Change::RestoreSelectors { now: None, then: baseline.selectors.clone() }),
        ];
        if !baseline.insights.is_empty() {
            let then = baseline.insights.clone();
            steps.push(after(wave::INSIGHTS, Change::RestoreInsights { now: Vec::new(), then }));
        }
        self.act(steps, "the trail was deleted".to_owned())
    }

    fn trail(&self, trail: &Trail) -> Verdict<Change> {
        let (mut exempt, mut notes) = (Vec::new(), Vec::new());
        let mendings = self.mendings(trail, &mut exempt);
        if !mendings.is_empty() {
            let wrong: Vec<String> = mendings.iter().map(|mending| mending.wrong.clone()).collect();
            return self.act(mendings.into_iter().map(|mending| mending.step).collect(), wrong.join("; "));
        }
        if !self.seen.full {
            return Verdict::new(Ruling::Safe, "the trail is logging");
        }
        if !self.seen.unread.is_empty() {
            let outcome = if self.standing.begun { Outcome::Partial } else { Outcome::Failed };
            return leave(outcome, format!("logging, but not proven: {}", self.seen.unread.join("; ")));
        }
        let mut harms = health::of_trail(trail, self.settings);
        if self.standing.baseline.is_none() {
            harms.extend(health::of_selectors(trail));
        }
        harms.retain(|harm| match self.exemption(harm.scope) {
            Some(text) => {
                exempt.push(text);
                notes.push(format!("exempt: {}", harm.text));
                false
            }
            None => true,
        });
        let lost = harms.iter().any(Harm::loses_logs);
        let unjudged = self.changed_without_baseline();
        if self.standing.begun && !lost {
            // We have changed something: it is contained, and the next sweep tells of the rest by itself.
            notes.extend(harms.into_iter().map(|harm| harm.text));
            notes.extend(unjudged.into_iter().chain(exempt));
            return Verdict::new(Ruling::Safe, DELIVERS).with_notes(notes);
        }
        let verdict = if let Some(verdict) = harmed(&harms) {
            verdict
        } else if let Some(why) = unjudged {
            leave(Outcome::Observed, why)
        } else if exempt.is_empty() {
            Verdict::new(Ruling::Safe, DELIVERS)
        } else {
            exempt.dedup();
            leave(Outcome::Exempt, format!("the trail is logging; {}", exempt.join("; ")))
        };
        verdict.with_notes(notes)
    }

    /// What is to be changed: first of all it has to log again.
    fn mendings(&self, trail: &Trail, exempt: &mut Vec<String>) -> Vec<Mending> {
        let mut mendings = Vec::new();
        if !trail.logging {
            let wrong = match trail.stopped {
                Some(at) => format!("the trail is not logging since {at}"),
                None => "the trail is not logging".to_owned(),
            };
            let step = Step::new(wave::RESTART, Change::Restart { stopped: trail.stopped });
            mendings.push(Mending { step, wrong });
        }
        // Without a journal there is nothing to come back to for certain, and no place for what is there now: the restart
        // is all, and the retry does the rest.
        let baseline = self.standing.baseline.as_ref().filter(|_| !self.standing.unrecorded);
        let Some(baseline) = baseline else { return mendings };
        if let Some(now) = &trail.settings {
            let weakened = now.weakened_since(&baseline.trail, &self.lead.place.account, self.settings);
            mendings.extend((wave::SETTINGS..).zip(weakened).map(|(wave, (part, differences))| {
                let wrong = differences.iter().filter(|d| d.now != d.then).map(changed);
                let wrong = wrong.collect::<Vec<_>>().join("; ");
                Mending { step: Step::new(wave, Change::RestoreSettings { part, differences }), wrong }
            }));
        }
        let selectors = of_selectors(trail, baseline);
        match self.exemption(scope::SELECTORS) {
            Some(text) if !selectors.is_empty() => exempt.push(text),
            Some(_) => {}
            None => mendings.extend(selectors),
        }
        mendings
    }

    /// A change that nobody can judge, because it came before the first sweep.
    fn changed_without_baseline(&self) -> Option<String> {
        let what = self.lead.cause.what.as_str();
        let changes = ["UpdateTrail", "PutEventSelectors", "PutInsightSelectors"].contains(&what);
        (changes && self.standing.baseline.is_none() && !self.standing.unrecorded).then(|| {
            let (trail, region) = (&self.lead.subject, &self.lead.place.region);
            format!(
                "{what} changed the trail, and no baseline tells what it was: look at it (`aws cloudtrail get-trail --region \
                 {region} --name {trail}`, `aws cloudtrail get-event-selectors --region {region} --trail-name {trail}`)"
            )
        })
    }

    fn store(&self, status: &str) -> Verdict<Change> {
        match status {
            "STOPPED_INGESTION" => {
                let step = Step::new(wave::RESTART, Change::StartIngestion);
                self.act(vec![step], "the event data store ingests nothing".to_owned())
            }
            "STOPPING_INGESTION" => Verdict::new(Ruling::Wait, "ingestion is being stopped"),
            "PENDING_DELETION" => {
                let (arn, region) = (self.lead.detail.arn().unwrap_or_default(), &self.lead.place.region);
                let why = format!(
                    "the event data store is pending deletion: `aws cloudtrail restore-event-data-store --region {region} \
                     --event-data-store {arn}` within seven days takes that back"
                );
                leave(Outcome::Observed, why)
            }
            _ => Verdict::new(Ruling::Safe, "the event data store ingests, or was never made to"),
        }
    }

    /// A bucket or a key of logs, and the bucket to which its trails deliver.
    fn used(&self, users: &[User], mut harms: Vec<Harm>, bucket: &str) -> Verdict<Change> {
        let arns: Vec<&str> = users.iter().map(|user| user.arn.as_str()).collect();
        let used = format!("used by {}", arns.join(", "));
        if !self.seen.unread.is_empty() {
            return leave(Outcome::Failed, format!("{used}: {}", self.seen.unread.join("; ")));
        }
        if !harms.iter().any(Harm::loses_logs) {
            let name = |setting| if setting == Setting::Bucket { bucket } else { THEIRS };
            harms.extend(users.iter().flat_map(|user| &user.errors).map(|e| health::of_error(e, &name)));
            harms.dedup();
        }
        match harmed(&harms) {
            Some(verdict) => Verdict { why: format!("{}; {used}", verdict.why), ..verdict },
            None => Verdict::new(Ruling::Safe, format!("{used}, and nothing keeps it from delivering")),
        }
    }

    /// The words of a valid exemption of a scope.
    fn exemption(&self, scope: &str) -> Option<String> {
        let found = self.standing.scoped.iter().find(|e| e.scope.as_deref() == Some(scope))?;
        Some(format!("{scope} {found}"))
    }
}

/// What a trail no longer records. The whole set goes back, since AWS replaces all of it.
fn of_selectors(trail: &Trail, baseline: &Baseline) -> Vec<Mending> {
    let mut mendings = Vec::new();
    if let Some(now) = &trail.selectors {
        let lost = now.lost_since(&baseline.selectors);
        if !lost.is_empty() {
            let wrong = format!("no longer recorded: {}", lost.join("; "));
            let change =
                Change::RestoreSelectors { now: Some(now.clone()), then: baseline.selectors.clone() };
            mendings.push(Mending { step: Step::new(wave::SELECTORS, change), wrong });
        }
    }
    if let Some(now) = &trail.insights {
        let lost = baseline.insights.iter().filter(|insight| !now.contains(insight));
        let lost: Vec<&str> = lost.map(|insight| insight.kind.as_str()).collect();
        if !lost.is_empty() {
            // Kinds that were added since stay; AWS takes each kind once.
            let added = now.iter().filter(|n| baseline.insights.iter().all(|b| b.kind != n.kind));
            let then = baseline.insights.iter().chain(added).cloned().collect();
            let change = Change::RestoreInsights { now: now.clone(), then };
            let wrong = format!("Insights are off: {}", lost.join(", "));
            mendings.push(Mending { step: Step::new(wave::INSIGHTS, change), wrong });
        }
    }
    mendings
}

/// Harm that people have to mend: an error if logs are lost by it.
fn harmed(harms: &[Harm]) -> Option<Verdict<Change>> {
    let lost = harms.iter().any(Harm::loses_logs);
    let texts: Vec<&str> = harms.iter().map(|harm| harm.text.as_str()).collect();
    let outcome = if lost { Outcome::Partial } else { Outcome::Observed };
    (!harms.is_empty()).then(|| leave(outcome, texts.join("; ")))
}

fn changed(difference: &Difference) -> String {
    let shown = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    format!("{} is {}, was {}", difference.setting, shown(&difference.now), shown(&difference.then))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "innocent_tests.rs"]
mod innocents;
