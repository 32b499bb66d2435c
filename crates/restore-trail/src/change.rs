//! What `restore-trail` can change, each with what was there before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::selectors::Selectors;
use crate::trail::{Baseline, Difference, Insight, Part, Setting};

/// One change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// `CreateTrail`, with its tags: the trail as its baseline was.
    Create {
        /// What it was.
        baseline: Box<Baseline>,
    },
    /// `StartLogging`.
    Restart {
        /// When it was stopped.
        stopped: Option<Timestamp>,
    },
    /// `UpdateTrail`: settings that were changed away, and no others.
    RestoreSettings {
        /// Which part.
        part: Part,
        /// Its settings, as they are and as they go back.
        differences: Vec<Difference>,
    },
    /// `PutEventSelectors`: all selectors of the baseline, since AWS replaces all.
    RestoreSelectors {
        /// As they are; none for a trail that was just created.
        now: Option<Selectors>,
        /// As they go back.
        then: Selectors,
    },
    /// `PutInsightSelectors`.
    RestoreInsights {
        /// As they are.
        now: Vec<Insight>,
        /// As they go back.
        then: Vec<Insight>,
    },
    /// `StartEventDataStoreIngestion`.
    StartIngestion,
    /// `AddTags`: that we restarted it, where the journal could not take it.
    Mark {
        /// The cause, by its digest.
        cause: String,
    },
}

impl tourniquet::Change for Change {
    fn key(&self) -> String {
        match self {
            Self::Create { .. } => "create-trail".to_owned(),
            Self::Restart { .. } => "start-logging".to_owned(),
            Self::RestoreSettings { part, .. } => format!("restore-settings {part}"),
            Self::RestoreSelectors { .. } => "restore-event-selectors".to_owned(),
            Self::RestoreInsights { .. } => "restore-insight-selectors".to_owned(),
            Self::StartIngestion => "start-ingestion".to_owned(),
            Self::Mark { .. } => "mark".to_owned(),
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Create { .. } => "create the trail again from its baseline".to_owned(),
            Self::Restart { .. } => "start logging".to_owned(),
            Self::RestoreSettings { differences, .. } => {
                let names: Vec<String> = differences.iter().map(|d| d.setting.to_string()).collect();
                format!("set {} back", names.join(", "))
            }
            Self::RestoreSelectors { .. } => "set the event selectors back".to_owned(),
            Self::RestoreInsights { .. } => "set the Insights back".to_owned(),
            Self::StartIngestion => "start ingestion".to_owned(),
            Self::Mark { .. } => "tag as restarted".to_owned(),
        }
    }

    fn before(&self) -> String {
        match self {
            Self::Create { .. } => "no such trail".to_owned(),
            Self::Restart { stopped: Some(at) } => format!("stopped at {at}"),
            Self::Restart { stopped: None } => "not logging".to_owned(),
            Self::RestoreSettings { differences, .. } => said(differences, |d| &d.now),
            Self::RestoreSelectors { now: Some(now), .. } => now.words(),
            Self::RestoreSelectors { now: None, .. } => "the selectors of a new trail".to_owned(),
            Self::RestoreInsights { now, .. } => kinds(now),
            Self::StartIngestion => "stopped".to_owned(),
            Self::Mark { .. } => "no such tag".to_owned(),
        }
    }

    fn after(&self) -> String {
        match self {
            Self::Create { baseline } => format!("delivers to {}", baseline.trail.get(Setting::Bucket)),
            Self::Restart { .. } => "logging".to_owned(),
            Self::RestoreSettings { differences, .. } => said(differences, |d| &d.then),
            Self::RestoreSelectors { then, .. } => then.words(),
            Self::RestoreInsights { then, .. } => kinds(then),
            Self::StartIngestion => "ingesting".to_owned(),
            Self::Mark { cause } => cause.clone(),
        }
    }
}

fn said(differences: &[Difference], value: fn(&Difference) -> &String) -> String {
    let one = |d: &Difference| {
        let value = value(d);
        format!("{}: {}", d.setting, if value.is_empty() { "none" } else { value })
    };
    differences.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn kinds(insights: &[Insight]) -> String {
    let kinds: Vec<&str> = insights.iter().map(|i| i.kind.as_str()).collect();
    if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") }
}
