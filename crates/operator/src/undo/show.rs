//! What people see of an undo, or programs read.

use serde_json::{Value, json};
use tourniquet::Outcome;
use tourniquet::exemption::Exemption;

use super::fate::{Fate, Status};
use super::store::Found;
use crate::failure::{Done, Failure};
use crate::out::Out;
use crate::records::Undo;
use crate::words::plain;

/// Everything that is said, for people at once or for programs at the end.
pub(super) struct Page {
    record: String,
    head: String,
    newer: Option<String>,
    json: bool,
    out: Out,
    pub(super) fates: Vec<Fate>,
    pub(super) exemptions: Vec<Exemption>,
    pub(super) undo: Option<Undo>,
}

impl Page {
    pub(super) fn new(found: &Found, json: bool) -> Self {
        let record = &found.record;
        let outcome = record.outcome.map_or("open", Outcome::word);
        Self {
            record: record.id(),
            head: format!(
                "{outcome} {}: {}",
                record.started.strftime("%Y-%m-%d %H:%M:%S UTC"),
                plain(&record.why)
            ),
            newer: found.newer.clone(),
            json,
            out: Out::default(),
            fates: Vec::new(),
            exemptions: Vec::new(),
            undo: None,
        }
    }

    /// A line for people.
    pub(super) fn say(&mut self, text: &str) {
        if !self.json {
            self.out.line(text);
        }
    }

    /// What was there before, what is there now, and what would become of it.
    pub(super) fn changes(&mut self) {
        self.say(&plain(&self.record.clone()));
        self.say(&format!("  {}", self.head.clone()));
        for fate in self.fates.clone() {
            self.say(&format!("- {}", plain(&fate.summary)));
            self.say(&format!("    before  {}", plain(&fate.before)));
            self.say(&format!("    now     {}", plain(&fate.now)));
            self.say(&format!("    {}    {}", mark(fate.status), plain(&after(&fate))));
        }
        if let Some(newer) = self.newer.clone() {
            self.say(&format!("There is a newer record about it: {}", plain(&newer)));
        }
    }

    /// The exemptions to come.
    pub(super) fn exempt(&mut self) {
        for exemption in self.exemptions.clone() {
            let part =
                exemption.scope.as_ref().map(|scope| format!(" ({})", plain(scope))).unwrap_or_default();
            self.say(&format!(
                "Exempt until {}: {}{part}: {} (owner: {})",
                exemption.expires,
                plain(&exemption.subject),
                plain(&exemption.reason),
                plain(&exemption.owner)
            ));
        }
    }

    /// What became of each change.
    pub(super) fn fates(&mut self) {
        for fate in self.fates.clone() {
            self.say(&format!("{}: {}", plain(&fate.summary), plain(&fate.told())));
        }
    }

    /// Nothing was done, and why.
    pub(super) fn refused(self, why: Failure) -> Result<Done, Failure> {
        self.document("refused", Some(&why))?;
        Err(why)
    }

    /// Some of it was done.
    pub(super) fn partial(self, why: String) -> Result<Done, Failure> {
        let why = Failure::Partial(why);
        self.document("partial", Some(&why))?;
        Err(why)
    }

    /// It went well.
    pub(super) fn end(mut self, status: &str) -> Result<Done, Failure> {
        if let Some(undo) = self.undo.clone().filter(|_| status == "undone") {
            self.say(&format!("Undone; exempt until {}.", undo.until));
        }
        self.document(status, None)?;
        Ok(Done::Well)
    }

    fn document(self, status: &str, why: Option<&Failure>) -> Result<(), Failure> {
        let mut out = self.out;
        if self.json {
            let exemptions: Vec<Value> = self.exemptions.iter().map(of_exemption).collect();
            let document = json!({
                "record": self.record, "status": status, "why": why.map(ToString::to_string), "changes": self.fates,
                "exemptions": exemptions, "undo": self.undo, "newer": self.newer,
            });
            out.line(&document.to_string());
        }
        out.end()
    }
}

fn of_exemption(exemption: &Exemption) -> Value {
    json!({
        "subject": exemption.subject, "region": exemption.region, "scope": exemption.scope, "reason": exemption.reason,
        "owner": exemption.owner, "ends": exemption.expires,
    })
}

fn mark(status: Status) -> &'static str {
    match status {
        Status::Drifted | Status::Refused | Status::Left | Status::Unasked => "STOP",
        _ => "undo",
    }
}

fn after(fate: &Fate) -> String {
    match fate.status {
        Status::Restorable => fate.before.clone(),
        Status::Unasked => format!("{}: see --release", fate.told()),
        _ => fate.told(),
    }
}
