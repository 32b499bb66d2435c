//! The catalogue: one JSON file for each scenario, below `scenarios/<function>/`; steps that many share are in `given/`.
//!
//! The form is strict: a key that is not described here is an error, so that no expectation is silently not checked.
//! Strings may hold `${name}`: what an earlier step saved, or one of `account`, `region`, `partition`, `journal_table`,
//! `report_topic`, `function_role`, `now`, `yesterday`, `tomorrow` and `hour`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::template::Names;

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// What it is about, in a few words.
    pub title: String,
    /// What happened before the function was called, sentence by sentence, in the past tense.
    pub story: Vec<String>,
    /// The function under test.
    pub function: String,
    /// Whether it is the plain case of its room, over which the tests of every fault and of every function's promises run.
    #[serde(default)]
    pub model: bool,
    /// The ids of the cases that it proves; its test carries them in its name.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Merged into the configuration that the deployment makes.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// Files of steps below `scenarios/given/`, for what many scenarios need.
    #[serde(default)]
    pub upon: Vec<String>,
    /// What is there besides.
    #[serde(default)]
    pub given: Vec<Step>,
    /// What the attacker does.
    #[serde(default)]
    pub attack: Vec<Step>,
    /// What AWS says about it.
    pub event: Event,
    /// How often the event is delivered, one delivery after the other. Default: once.
    #[serde(default = "once")]
    pub deliveries: usize,
    /// What goes wrong with the function's calls.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How it must end.
    pub expect: Expect,
}

fn once() -> usize {
    1
}

/// One call with boto3, by an administrator, or one of `simulate.*`; or only words, for what no call stands for.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it means, for the story.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub say: Option<String>,
    /// Such as `ec2.run_instances`.
    #[serde(default)]
    pub call: String,
    /// Its arguments.
    #[serde(default)]
    pub with: Value,
    /// Names for parts of the answer, picked with `JMESPath`.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// The part of the answer that matters, picked with `JMESPath`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Another region than home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Another account than home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl Step {
    /// The step with every name replaced.
    pub fn filled(&self, names: &Names) -> Result<Self> {
        serde_json::from_value(names.fill(&serde_json::to_value(self)?)?).map_err(Into::into)
    }
}

/// Where the event comes from: exactly one of `fixture`, `inline` and `sweep`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Event {
    /// A file of the room's `fixtures/match`. It is moved into the simulated account: its account and region are home's.
    pub fixture: Option<String>,
    /// The event itself.
    pub inline: Option<Value>,
    /// The scheduled event of a sweep, which no rule has to match.
    pub sweep: bool,
    /// Values by path, such as `detail.resource.instanceDetails.instanceId`.
    pub set: Map<String, Value>,
}

/// How a scenario must end. What is absent is not looked at, except errors: none is expected but with `error_type` or
/// the outcomes that are errors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The outcome of every report of the last delivery; `undelivered` if no trigger matches.
    pub outcome: String,
    /// A part of the reason.
    #[serde(default)]
    pub why: Option<String>,
    /// Lambda's `errorType`.
    #[serde(default)]
    pub error_type: Option<String>,
    /// How many messages were published.
    #[serde(default)]
    pub messages: Option<usize>,
    /// Words that stand in one of the messages, each.
    #[serde(default)]
    pub says: Vec<String>,
    /// The most round trips until containment.
    #[serde(default)]
    pub max_round_trips: Option<usize>,
    /// How often operations were called.
    #[serde(default)]
    pub calls: BTreeMap<String, usize>,
    /// Whether nothing may be changed but the journal.
    #[serde(default)]
    pub no_changes: bool,
    /// What the account must look like.
    #[serde(default)]
    pub state: Vec<State>,
}

/// One look at the account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Such as `ec2.describe_instances`.
    pub call: String,
    /// Its arguments.
    #[serde(default)]
    pub with: Value,
    /// Which part of the answer, with `JMESPath`.
    pub at: String,
    /// What it must be.
    pub is: Value,
    /// Another region than home.
    #[serde(default)]
    pub region: Option<String>,
    /// Another account than home.
    #[serde(default)]
    pub account: Option<String>,
}

impl State {
    /// The look as a step.
    #[must_use]
    pub fn step(&self) -> Step {
        Step {
            call: self.call.clone(),
            with: self.with.clone(),
            at: Some(self.at.clone()),
            region: self.region.clone(),
            account: self.account.clone(),
            ..Step::default()
        }
    }
}

impl Event {
    /// The event to deliver; a sweep's is what the schedule sends.
    pub fn build(&self, room: &Path, names: &Names, schedule: Option<&Value>) -> Result<Value> {
        let mut event = match (&self.fixture, &self.inline, self.sweep) {
            (Some(file), None, false) => moved(read(&room.join("fixtures/match").join(file))?, names),
            (None, Some(inline), false) => inline.clone(),
            (None, None, true) => schedule.context("the function has no schedule")?.clone(),
            _ => bail!("an event is exactly one of fixture, inline and sweep"),
        };
        for (path, value) in &self.set {
            set(&mut event, path, value.clone())?;
        }
        names.fill(&event)
    }
}

/// Fixtures are recorded elsewhere; what says where is replaced, in the envelope and in a finding.
fn moved(mut event: Value, names: &Names) -> Value {
    let places = [
        ("", "account", "account"),
        ("", "region", "region"),
        ("detail", "accountId", "account"),
        ("detail", "region", "region"),
    ];
    for (inside, key, name) in places {
        let object = if inside.is_empty() { Some(&mut event) } else { event.get_mut(inside) };
        if let (Some(slot), Some(value)) = (object.and_then(|object| object.get_mut(key)), names.get(name)) {
            *slot = value.clone();
        }
    }
    event
}

/// Sets a value by a path of keys and indexes; all but the last must exist, so that a typing error shows.
pub(crate) fn set(event: &mut Value, path: &str, value: Value) -> Result<()> {
    let (parents, last) = path.rsplit_once('.').map_or(("", path), |(parents, last)| (parents, last));
    let mut at = event;
    for key in parents.split('.').filter(|key| !key.is_empty()) {
        let next = match at {
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            other => other.get_mut(key),
        };
        at = next.with_context(|| format!("the event has no `{key}` on the way to `{path}`"))?;
    }
    match at {
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        Value::Array(items) => {
            let slot = last.parse::<usize>().ok().and_then(|index| items.get_mut(index));
            *slot.with_context(|| format!("the event has no `{path}`"))? = value;
        }
        _ => bail!("the event cannot hold `{path}`"),
    }
    Ok(())
}

/// The scenario of a function with a name.
pub fn named(folder: &Path, function: &str, name: &str) -> Result<Scenario> {
    let mut all = catalogue(folder)?.into_iter();
    let found = all.find(|one| one.function == function && one.name == name);
    found.with_context(|| format!("{function} has no scenario {name}"))
}

/// The model scenario of a function.
pub fn model(folder: &Path, function: &str) -> Result<Scenario> {
    let mut models = catalogue(folder)?.into_iter().filter(|one| one.model && one.function == function);
    match (models.next(), models.next()) {
        (Some(model), None) => Ok(model),
        _ => bail!("{function} does not have exactly one model scenario"),
    }
}

/// Every scenario below a folder, by function and name; the model of each function comes first.
pub fn catalogue(folder: &Path) -> Result<Vec<Scenario>> {
    let mut all = Vec::new();
    for room in entries(folder)?.into_iter().filter(|room| !room.ends_with("given")) {
        let files = entries(&room)?;
        let mut scenarios = files.iter().map(|file| one(folder, &room, file)).collect::<Result<Vec<_>>>()?;
        scenarios.sort_by_key(|scenario| !scenario.model);
        all.extend(scenarios);
    }
    Ok(all)
}

fn one(folder: &Path, room: &Path, file: &Path) -> Result<Scenario> {
    let mut scenario: Scenario = read(file)?;
    scenario.name = name(file);
    if scenario.function != name(room) {
        bail!("{} is about {}", file.display(), scenario.function);
    }
    let mut given: Vec<Step> = Vec::new();
    for name in &scenario.upon {
        given.extend(read::<Vec<Step>>(&folder.join("given").join(format!("{name}.json")))?);
    }
    scenario.given.splice(..0, given);
    let mut steps = scenario.given.iter().chain(&scenario.attack);
    if steps.any(|step| step.call.is_empty() && step.say.is_none()) {
        bail!("{} has a step that neither calls nor says anything", file.display());
    }
    Ok(scenario)
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

/// Reads a JSON file; the error names it.
pub fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as it should be", file.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::set;

    #[test]
    fn a_path_reaches_into_lists_and_does_not_invent_parents() {
        let mut event = json!({"detail": {"list": [{"a": 1}]}});
        set(&mut event, "detail.list.0.a", json!(2)).unwrap();
        set(&mut event, "detail.new", json!("x")).unwrap();
        assert_eq!(event, json!({"detail": {"list": [{"a": 2}], "new": "x"}}));
        assert!(set(&mut event, "detial.id", json!(1)).is_err());
    }
}
