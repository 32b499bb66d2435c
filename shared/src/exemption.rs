//! Exemptions: a reason, an owner and an end, or they do not count.
//!
//! They live in the journal's table, written by Terraform, by the operator's command or by an undo; and, where the
//! configuration allows it, in the tag `tourniquet:exempt` of the live resource.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wildmatch::WildMatch;

use crate::place::Place;

/// The tag that exempts a live resource: `until=2027-01-31 owner=… reason=…`, in this order; the reason goes on to
/// the end. AWS allows no quotation marks and few other signs in a tag's value.
pub const TAG: &str = "tourniquet:exempt";
/// How far ahead the end of a tag may lie, in days: more people may tag a resource than may write the journal.
const TAG_DAYS: i64 = 90;

/// A valid exemption.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exemption {
    /// Which subjects: a glob over their ids.
    pub subject: String,
    /// Which regions: a glob.
    pub region: String,
    /// What part of the subject, in the room's own words; `None` is all of it.
    pub scope: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// When it ends.
    pub expires: Timestamp,
    /// Where it stands.
    pub source: Source,
}

/// Where an exemption stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// In the journal's table.
    Journal,
    /// In a tag of the live resource.
    Tag,
}

impl fmt::Display for Exemption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match self.source {
            Source::Journal => "in the journal",
            Source::Tag => "by its tag",
        };
        write!(f, "exempt {source} until {}: {} (owner: {})", self.expires, self.reason, self.owner)
    }
}

/// What is known about the exemption of one subject.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Those that are valid now.
    pub valid: Vec<Exemption>,
    /// Those that are not honoured, each with the reason, for the report.
    pub refused: Vec<String>,
}

/// The fields of an exemption as they were written, before anything is checked.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// See [`Exemption::subject`].
    pub subject: Option<String>,
    /// See [`Exemption::region`]; absent means every region.
    pub region: Option<String>,
    /// See [`Exemption::scope`].
    pub scope: Option<String>,
    /// See [`Exemption::reason`].
    pub reason: Option<String>,
    /// See [`Exemption::owner`].
    pub owner: Option<String>,
    /// A date, which ends with its last second in UTC, or a point in time.
    pub expires: Option<String>,
}

impl Draft {
    /// The exemption, or why it is not honoured.
    pub fn check(self, source: Source, now: Timestamp) -> Result<Exemption, String> {
        let need = |value: Option<String>, name: &str| {
            value
                .filter(|v| !v.trim().is_empty())
                .ok_or_else(|| format!("an exemption without {name} is not honoured"))
        };
        let expires = need(self.expires, "an expiry")?;
        let expires = end_of(&expires)
            .ok_or_else(|| format!("an exemption with the expiry {expires:?} is not honoured: not a date"))?;
        let exemption = Exemption {
            subject: need(self.subject, "a subject")?,
            region: self.region.unwrap_or_else(|| "*".to_owned()),
            scope: self.scope,
            reason: need(self.reason, "a reason")?,
            owner: need(self.owner, "an owner")?,
            expires,
            source,
        };
        if exemption.expires <= now {
            return Err(format!(
                "an exemption ended at {}: {} (owner: {})",
                exemption.expires, exemption.reason, exemption.owner
            ));
        }
        Ok(exemption)
    }
}

/// The end of an exemption: a point in time, or the end of a day in UTC.
fn end_of(text: &str) -> Option<Timestamp> {
    if let Ok(point) = text.parse::<Timestamp>() {
        return Some(point);
    }
    let day: Date = text.parse().ok()?;
    day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
}

/// Those of the written exemptions that cover a subject, checked.
#[must_use]
pub fn covering(drafts: &[Draft], place: &Place, subject: &str, now: Timestamp) -> Found {
    let mut found = Found::default();
    for draft in drafts {
        let region = draft.region.as_deref().unwrap_or("*");
        if draft.subject.as_deref().is_some_and(|glob| covers(glob, region, place, subject)) {
            match draft.clone().check(Source::Journal, now) {
                Ok(exemption) => found.valid.push(exemption),
                Err(problem) => found.refused.push(problem),
            }
        }
    }
    found
}

/// Whether an exemption's globs cover a subject. Its scope is not looked at.
#[must_use]
pub fn covers(subject_glob: &str, region_glob: &str, place: &Place, subject: &str) -> bool {
    WildMatch::new(subject_glob).matches(subject) && WildMatch::new(region_glob).matches(&place.region)
}

/// The exemption in a resource's tags, if there is one.
#[must_use]
pub fn of_tags(tags: &BTreeMap<String, String>, subject: &str, now: Timestamp) -> Found {
    let Some(text) = tags.get(TAG) else { return Found::default() };
    match parse_tag(text, subject).and_then(|draft| draft.check(Source::Tag, now)).and_then(|e| soon(e, now))
    {
        Ok(exemption) => Found { valid: vec![exemption], refused: Vec::new() },
        Err(problem) => Found { valid: Vec::new(), refused: vec![format!("tag {TAG}: {problem}")] },
    }
}

fn soon(exemption: Exemption, now: Timestamp) -> Result<Exemption, String> {
    if exemption.expires.duration_since(now).as_hours() <= TAG_DAYS * 24 {
        return Ok(exemption);
    }
    Err(format!(
        "not honoured: it ends at {}, and a tag exempts for {TAG_DAYS} days at most; write an earlier end, or an exemption in \
         the journal",
        exemption.expires
    ))
}

fn parse_tag(text: &str, subject: &str) -> Result<Draft, String> {
    let form = || "expected until=<date> owner=<who> reason=<why>".to_owned();
    let rest = text.trim().strip_prefix("until=").ok_or_else(form)?;
    let (until, rest) = rest.split_once(" owner=").ok_or_else(form)?;
    let (owner, reason) = rest.split_once(" reason=").ok_or_else(form)?;
    let some = |t: &str| Some(t.trim().to_owned());
    Ok(Draft {
        subject: some(subject),
        expires: some(until),
        owner: some(owner),
        reason: some(reason),
        ..Draft::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn tagged(text: &str, now: &str) -> Found {
        of_tags(&BTreeMap::from([(TAG.to_owned(), text.to_owned())]), "i-1", at(now))
    }

    #[test]
    fn law_8_an_exemption_needs_reason_owner_and_end() {
        let whole = Draft {
            subject: Some("i-*".into()),
            reason: Some("bastion".into()),
            owner: Some("sre".into()),
            expires: Some("2027-01-31".into()),
            ..Draft::default()
        };
        let now = at("2026-12-01T00:00:00Z");
        assert!(whole.clone().check(Source::Journal, now).is_ok());
        for strip in [
            (|d: &mut Draft| d.reason = None) as fn(&mut Draft),
            |d| d.owner = Some(" ".into()),
            |d| d.expires = None,
            |d| d.subject = None,
            |d| d.expires = Some("soon".into()),
        ] {
            let mut draft = whole.clone();
            strip(&mut draft);
            assert!(draft.check(Source::Journal, now).unwrap_err().contains("not honoured"));
        }
    }

    #[test]
    fn law_8_an_exemption_ends_with_the_last_second_of_its_day() {
        assert_eq!(
            tagged("until=2027-01-31 owner=sre reason=bastion host", "2027-01-31T23:59:59Z").valid.len(),
            1
        );
        let late = tagged("until=2027-01-31 owner=sre reason=bastion host", "2027-02-01T00:00:00Z");
        assert!(late.valid.is_empty() && late.refused[0].contains("ended at 2027-02-01T00:00:00Z"));
    }

    #[test]
    fn g20_a_malformed_tag_is_not_honoured_and_said() {
        for text in [
            "",
            "yes",
            "until=2027-01-31",
            "owner=x until=2027-01-31 reason=y",
            "until=never owner=x reason=y",
        ] {
            let found = tagged(text, "2026-12-01T00:00:00Z");
            assert!(found.valid.is_empty() && found.refused.len() == 1, "{text}");
        }
    }

    #[test]
    fn g20_a_tag_exempts_for_ninety_days_at_most() {
        let tag = "until=2027-01-31 owner=sre reason=bastion host";
        assert_eq!(tagged(tag, "2026-11-03T00:00:00Z").valid.len(), 1);
        let long = tagged(tag, "2026-11-02T00:00:00Z");
        assert!(long.valid.is_empty() && long.refused[0].contains("90 days at most"), "{long:?}");
    }

    #[test]
    fn globs_cover_ids_and_regions() {
        let place = Place::new("111122223333", "eu-west-1");
        assert!(covers("i-1", "*", &place, "i-1") && covers("i-*", "eu-*", &place, "i-1"));
        assert!(!covers("i-1", "us-*", &place, "i-1") && !covers("i-1", "*", &place, "i-10"));
    }
}
