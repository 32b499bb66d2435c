//! Whether a plan may be applied: our own resources, exemptions, the mode. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::exemption::{Exemption, Found, of_tags};
use crate::settings::{Config, Mode};
use crate::subject::Lead;

/// What the gate says to a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Pass {
    /// Apply it.
    Go,
    /// The subject is Tourniquet's own.
    Own,
    /// This exemption covers the subject.
    Exempt(Exemption),
    /// Record it and change nothing.
    Observe,
}

/// Judges a plan for a subject. Notes tell what was not honoured.
#[must_use]
pub fn judge<S, D>(
    config: &Config<S>,
    lead: &Lead<D>,
    tags: &BTreeMap<String, String>,
    recorded: &Found,
    now: Timestamp,
) -> (Pass, Vec<String>) {
    let mut notes = recorded.refused.clone();
    if is_own(&config.own_resources, &lead.subject) {
        return (Pass::Own, notes);
    }
    let by_tag = if config.exempt_by_tag { of_tags(tags, &lead.subject, now) } else { ignored_tag(tags) };
    notes.extend(by_tag.refused);
    let whole = |e: &&Exemption| e.scope.as_ref().is_none_or(|scope| *scope == lead.cause.key);
    if let Some(exemption) = recorded.valid.iter().chain(&by_tag.valid).find(whole) {
        return (Pass::Exempt(exemption.clone()), notes);
    }
    match config.mode {
        Mode::Observe => (Pass::Observe, notes),
        Mode::Enforce => (Pass::Go, notes),
    }
}

fn ignored_tag(tags: &BTreeMap<String, String>) -> Found {
    let refused = tags
        .get(crate::exemption::TAG)
        .map(|_| format!("tag {} is not honoured: `exempt_by_tag` is off", crate::exemption::TAG));
    Found { valid: Vec::new(), refused: refused.into_iter().collect() }
}

fn is_own(own: &[String], subject: &str) -> bool {
    own.iter().any(|name| name == subject || name.rsplit([':', '/']).next() == Some(subject))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Actor;
    use crate::exemption::{Source, TAG};
    use crate::place::Place;
    use crate::subject::Cause;

    fn judged(config: &str, tag: Option<&str>, recorded: Vec<Exemption>) -> (Pass, Vec<String>) {
        let config = Config::<()>::parse(config).unwrap();
        let lead = Lead {
            place: Place::new("111122223333", "eu-west-1"),
            subject: "i-1".into(),
            cause: Cause { what: "x".into(), key: "finding-1".into() },
            actor: Actor::default(),
            detail: (),
        };
        let tags = tag.map(|t| (TAG.to_owned(), t.to_owned())).into_iter().collect();
        let found = Found { valid: recorded, refused: vec![] };
        judge(&config, &lead, &tags, &found, "2026-12-01T00:00:00Z".parse().unwrap())
    }

    fn exemption(scope: Option<&str>) -> Exemption {
        Exemption {
            subject: "i-1".into(),
            region: "*".into(),
            scope: scope.map(str::to_owned),
            reason: "r".into(),
            owner: "o".into(),
            expires: "2027-01-01T00:00:00Z".parse().unwrap(),
            source: Source::Journal,
        }
    }

    const ENFORCE: &str = r#"{"account":"111122223333","mode":"enforce"}"#;
    const TAG_TEXT: &str = "until=2027-01-31 owner=sre reason=bastion";

    #[test]
    fn law_11_observe_changes_nothing_and_enforce_does() {
        assert_eq!(judged(r#"{"account":"111122223333"}"#, None, vec![]).0, Pass::Observe);
        assert_eq!(judged(ENFORCE, None, vec![]).0, Pass::Go);
    }

    #[test]
    fn g18_our_own_resources_are_refused() {
        let config = r#"{"account":"111122223333","mode":"enforce","own_resources":["arn:aws:ec2:eu-west-1:111122223333:instance/i-1"]}"#;
        assert_eq!(judged(config, None, vec![]).0, Pass::Own);
    }

    #[test]
    fn e5_an_exemption_for_one_finding_covers_that_finding_only() {
        assert_eq!(
            judged(ENFORCE, None, vec![exemption(Some("finding-1"))]).0,
            Pass::Exempt(exemption(Some("finding-1")))
        );
        assert_eq!(judged(ENFORCE, None, vec![exemption(Some("finding-2"))]).0, Pass::Go);
        assert_eq!(judged(ENFORCE, None, vec![exemption(None)]).0, Pass::Exempt(exemption(None)));
    }

    #[test]
    fn g20_a_tag_counts_only_where_settings_allow_it() {
        let (pass, notes) = judged(ENFORCE, Some(TAG_TEXT), vec![]);
        assert_eq!(pass, Pass::Go);
        assert!(notes[0].contains("not honoured"));
        let allowed = r#"{"account":"111122223333","mode":"enforce","exempt_by_tag":true}"#;
        assert!(
            matches!(judged(allowed, Some(TAG_TEXT), vec![]).0, Pass::Exempt(e) if e.source == Source::Tag)
        );
        let (pass, notes) = judged(allowed, Some("until=2020-01-01 owner=a reason=b"), vec![]);
        assert_eq!(pass, Pass::Go);
        assert!(notes[0].contains("ended"));
    }
}
