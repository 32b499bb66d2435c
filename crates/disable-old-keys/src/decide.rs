//! What to do about the keys of a user. Pure: no client, no clock, no environment.
//!
//! Each old key is judged by itself; then at most one is deactivated, the one that is missed least. What the others
//! need comes in the next run.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};
use tourniquet::exemption::covers;
use tourniquet::plan::Step;
use tourniquet::{Change as _, Lead, Outcome, Ruling, Standing, Verdict};

use crate::change::{Change, Ground};
use crate::event::{Detail, ROOT};
use crate::key::KeyName;
use crate::observation::{Key, Observation};
use crate::settings::{Exempt, Rotation, Settings, days};

/// Decides about one user.
pub(crate) fn decide(
    lead: &Lead<Detail>,
    seen: &Observation,
    settings: &Settings,
    now: Timestamp,
    standing: &Standing,
) -> Verdict<Change> {
    if lead.subject == ROOT {
        return root(lead, seen);
    }
    let case = Case { lead, seen, settings, now, standing };
    let old: Vec<Old<'_>> = seen.keys.iter().filter_map(|key| case.old(key)).collect();
    if old.is_empty() {
        return Verdict::new(Ruling::Safe, "no access key that works is old enough to warn of");
    }
    let (exempt, expired) = case.exemption();
    let verdict = match exempt {
        Some(text) => {
            let what =
                old.iter().map(|old| old.what(settings.warn_after_days)).collect::<Vec<_>>().join("; ");
            Verdict::new(Ruling::Leave(Outcome::Exempt), format!("{what}; {text}"))
        }
        None => case.rule(&old),
    };
    let notes = if matches!(verdict.ruling, Ruling::Safe) { verdict.notes.clone() } else { case.notes(&old) };
    let notes = expired.into_iter().chain(verdict.notes.clone()).chain(notes);
    let mut all: Vec<String> = Vec::new();
    for note in notes {
        if !all.contains(&note) {
            all.push(note);
        }
    }
    verdict.with_notes(all)
}

/// IAM lets nobody but the root user itself touch its keys.
fn root(lead: &Lead<Detail>, seen: &Observation) -> Verdict<Change> {
    if !seen.root_keys {
        return Verdict::new(Ruling::Safe, "the root user has no access keys");
    }
    let why = "THE ROOT USER HAS ACCESS KEYS, which can do everything and which no policy limits; only the root user can \
               delete them: sign in as root and do so";
    Verdict::new(Ruling::Leave(Outcome::Observed), why).with_notes(lead.detail.notes.clone())
}

struct Case<'a> {
    lead: &'a Lead<Detail>,
    seen: &'a Observation,
    settings: &'a Settings,
    now: Timestamp,
    standing: &'a Standing,
}

/// A key that people are to be told of, at least.
#[derive(Clone)]
struct Old<'a> {
    key: &'a Key,
    ground: Ground,
    /// After this moment it is old enough to be deactivated.
    due: Timestamp,
    successor: Option<&'a KeyName>,
    change: Change,
    /// When people have been told of this change, if they have.
    told: Option<Timestamp>,
}

impl Old<'_> {
    /// What is wrong with it; the same every day.
    fn what(&self, days: u32) -> String {
        let name = &self.key.name;
        match (self.ground, &self.key.used) {
            (Ground::Age, _) => format!("access key {name} is older than {days} days"),
            (Ground::Unused(since), Some(_)) => format!("access key {name} has not been used since {since}"),
            (Ground::Unused(_), None) => format!("access key {name} has never been used"),
        }
    }
}

impl<'a> Case<'a> {
    /// The strongest ground against a key: one that lets it be deactivated now, else the one that is due first.
    fn old(&self, key: &'a Key) -> Option<Old<'a>> {
        let mut grounds: Vec<Old<'a>> = self.grounds(key);
        grounds.sort_by_key(|old| (Reverse(self.may_act(old)), old.due));
        grounds.into_iter().next()
    }

    fn grounds(&self, key: &'a Key) -> Vec<Old<'a>> {
        if !key.active {
            return Vec::new();
        }
        let settings = self.settings;
        let mut grounds = Vec::new();
        if self.is_past(key.name.created, days(settings.warn_after_days)) {
            let due = after(key.name.created, days(settings.disable_after_days));
            let successor = self.successor(key);
            grounds.push(self.ground(key, Ground::Age, due, successor));
        }
        let since = key.used.as_ref().map_or(key.name.created, |used| used.at);
        if let (Some(unused), Some(warning)) = (settings.unused_days, settings.unused_warning())
            && self.is_past(since, warning)
        {
            grounds.push(self.ground(key, Ground::Unused(since), after(since, days(unused)), None));
        }
        grounds
    }

    fn ground(
        &self,
        key: &'a Key,
        ground: Ground,
        due: Timestamp,
        successor: Option<&'a KeyName>,
    ) -> Old<'a> {
        let change = Change::Deactivate {
            key: key.name.clone(),
            ground,
            successor: successor.cloned(),
            compromised: self.seen.quarantine.is_some(),
        };
        let told = self.standing.announced.get(&change.key()).copied();
        Old { key, ground, due, successor, change, told }
    }

    /// The newer key to which the user is still changing over: it works and was never used, while this one was.
    fn successor(&self, key: &Key) -> Option<&'a KeyName> {
        key.used.as_ref()?;
        let newer =
            |other: &&Key| other.active && other.used.is_none() && other.name.created > key.name.created;
        // One that is old itself does not keep another one alive.
        let fresh = |other: &&Key| !self.settings.concerns(other.name.created, self.now);
        self.seen.keys.iter().filter(newer).find(fresh).map(|other| &other.name)
    }

    fn is_past(&self, from: Timestamp, span: SignedDuration) -> bool {
        self.now.duration_since(from) > span
    }

    /// Whether a key may be deactivated now: it is old enough, and people have known for long enough.
    fn may_act(&self, old: &Old<'_>) -> bool {
        if self.now <= old.due {
            return false;
        }
        if self.seen.quarantine.is_some() {
            return true;
        }
        let waits = old.successor.is_some() && self.settings.rotation == Rotation::Wait;
        let grace = days(self.settings.grace_days);
        !waits && old.told.is_some_and(|told| self.now.duration_since(told) >= grace)
    }

    fn rule(&self, old: &[Old<'_>]) -> Verdict<Change> {
        let begun = self.begun();
        let mut ready: Vec<&Old<'_>> = old.iter().filter(|old| self.may_act(old)).collect();
        if !begun.is_empty() {
            let left = self.seen.keys.iter().any(|key| key.active && begun.contains(&key.name));
            if !left {
                let note = "its other old access key waits for the next run: never both in one";
                return Verdict::new(Ruling::Safe, "the access key of this run is inactive")
                    .with_notes(vec![note.to_owned()]);
            }
            ready.retain(|old| begun.contains(&old.key.name));
        }
        // The one that is missed least: never used, or not for long, and then the older one.
        ready.sort_by_key(|old| (old.key.used.as_ref().map(|used| used.at), old.key.name.clone()));
        if let Some(first) = ready.first() {
            return Verdict::new(Ruling::Act(vec![Step::new(0, first.change.clone())]), self.sentence(first));
        }
        let why = old.iter().map(|old| self.warning(old)).collect::<Vec<_>>().join("; ");
        Verdict::new(Ruling::Announce(old.iter().map(|old| Step::new(0, old.change.clone())).collect()), why)
    }

    /// The keys that this run, or one that was interrupted, has begun to deactivate.
    fn begun(&self) -> Vec<KeyName> {
        let change =
            |step: &tourniquet::plan::Recorded| serde_json::from_value::<Change>(step.change.clone());
        self.standing.planned.iter().filter_map(|step| Some(change(step).ok()?.name().clone())).collect()
    }

    /// Why a key is deactivated.
    fn sentence(&self, old: &Old<'_>) -> String {
        let since =
            format!("{}, over the limit since {}", old.what(self.settings.disable_after_days), old.due);
        match (&self.seen.quarantine, old.told) {
            (Some(policy), _) => {
                format!("{since}; AWS has marked the user's keys as compromised ({policy}): no grace")
            }
            (None, Some(told)) => format!("{since}; people were warned at {told}"),
            (None, None) => since,
        }
    }

    /// What is to come. It is the same every day until something changes, so that people are told of it once.
    fn warning(&self, old: &Old<'_>) -> String {
        let (due, grace) = (old.due, self.settings.grace_days);
        let what = old.what(self.settings.warn_after_days);
        let then = format!("it will be deactivated when {due} is past and this warning is {grace} days old");
        match (old.successor, self.settings.rotation) {
            (None, _) => format!("{what}: {then}"),
            (Some(successor), Rotation::Disable) => {
                format!("{what} and its successor {successor} was never used: LAST WARNING, {then}")
            }
            (Some(successor), Rotation::Wait) => format!(
                "{what} and its successor {successor} was never used: it will be deactivated when that has been used, or is \
                 old itself"
            ),
        }
    }

    /// What an owner needs to judge what would break.
    fn notes(&self, old: &[Old<'_>]) -> Vec<String> {
        let mut notes = self.lead.detail.notes.clone();
        if !matches!(self.seen.path.as_str(), "" | "/") {
            notes.push(format!("the user's path is {}", self.seen.path));
        }
        for one in old {
            notes.push(usage(one.key));
            notes.extend(smtp(&self.lead.subject, one.key));
        }
        let others = self.seen.keys.iter().filter(|k| k.active && old.iter().all(|o| o.key.name != k.name));
        let mut others = others.peekable();
        if others.peek().is_none() && old.len() == 1 {
            notes.push("the user has no other key that works".to_owned());
        }
        notes.extend(others.map(usage));
        if let Some(policy) = &self.seen.quarantine {
            notes.push(format!(
                "AWS has attached {policy} to the user, because a key of it was exposed: look at AWS's support case now"
            ));
        }
        notes
    }

    /// The setting that exempts the user, as words for the report; and what is not honoured.
    fn exemption(&self) -> (Option<String>, Vec<String>) {
        let user = std::slice::from_ref(&self.lead.subject);
        let path = std::slice::from_ref(&self.seen.path);
        let lists = [
            ("exempt_users", &self.settings.exempt_users, user),
            ("exempt_paths", &self.settings.exempt_paths, path),
            ("exempt_groups", &self.settings.exempt_groups, self.seen.groups.as_slice()),
        ];
        let mut refused = Vec::new();
        for (setting, list, names) in lists {
            let covering =
                |e: &&Exempt| names.iter().any(|name| covers(&e.glob, "*", &self.lead.place, name));
            for exempt in list.iter().filter(covering) {
                match exempt.check(self.now) {
                    Ok(e) => {
                        let text = format!(
                            "exempt by the setting `{setting}` ({}) until {}: {} (owner: {})",
                            exempt.glob, e.expires, e.reason, e.owner
                        );
                        return (Some(text), refused);
                    }
                    Err(problem) => refused.push(format!("`{setting}` ({}): {problem}", exempt.glob)),
                }
            }
        }
        (None, refused)
    }
}

fn after(from: Timestamp, span: SignedDuration) -> Timestamp {
    from.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn usage(key: &Key) -> String {
    match &key.used {
        Some(used) => format!(
            "access key {} was last used at {} for {} in {}",
            key.name, used.at, used.service, used.region
        ),
        None => format!("access key {} was never used", key.name),
    }
}

/// Passwords for SES's SMTP servers are made from a key's secret and work as long as the key does; the console names
/// their users `ses-smtp-user.<time>`. <https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html>
fn smtp(user: &str, key: &Key) -> Option<String> {
    let mails =
        key.used.as_ref().is_some_and(|used| used.service == "ses") || user.starts_with("ses-smtp-user");
    mails.then(|| {
        format!(
            "SES SMTP passwords made from access key {} end with it: mail clients need new ones first",
            key.name
        )
    })
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "innocent_tests.rs"]
mod innocents;
