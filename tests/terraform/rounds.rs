//! Which deployments the catalogue needs: settings decide which statements a role has, and other accounts have roles or not.
//! A round is one deployment with what is played on it. What a scenario configures besides is laid over the function's
//! configuration, since no other resource depends on it.

use std::collections::{BTreeMap, BTreeSet};

use drill::scenario::{self, Scenario};
use drill::tools::Tools;
use serde_json::{Map, Value, json};

/// One deployment.
pub(super) struct Round {
    /// The other accounts.
    pub(super) accounts: Vec<String>,
    /// What differs from function to function.
    pub(super) functions: BTreeMap<String, Own>,
}

/// A function in a round.
pub(super) struct Own {
    /// The settings to which statements belong, as far as they are not left to their default.
    pub(super) settings: Map<String, Value>,
    /// What is played.
    pub(super) scenarios: Vec<Scenario>,
}

/// The rounds that all scenarios need; the first says nothing of any setting.
pub(super) fn of(tools: &Tools) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for one in scenario::catalogue(&tools.scenarios()).unwrap() {
        let accounts = one.config.get("accounts").cloned().unwrap_or_else(|| json!([]));
        let accounts: Vec<String> = serde_json::from_value(accounts).unwrap();
        let settings = deciding(tools, &one);
        let fits = |round: &Round| {
            let own = round.functions.get(&one.function);
            round.accounts == accounts && own.is_none_or(|own| own.settings == settings)
        };
        let found = rounds.iter().position(fits).unwrap_or_else(|| {
            rounds.push(Round { accounts: accounts.clone(), functions: BTreeMap::new() });
            rounds.len() - 1
        });
        rounds[found]
            .functions
            .entry(one.function.clone())
            .or_insert(Own { settings, scenarios: Vec::new() })
            .scenarios
            .push(one);
    }
    rounds
}

/// The settings of a scenario that decide which statements its function's role has.
fn deciding(tools: &Tools, one: &Scenario) -> Map<String, Value> {
    let permissions: Value = scenario::read(&tools.room(&one.function).join("permissions.json")).unwrap();
    let statements = permissions["statements"].as_array().unwrap();
    let deciding: BTreeSet<&str> = statements.iter().filter_map(|s| s["setting"].as_str()).collect();
    let settings = one.config.get("settings").and_then(Value::as_object).cloned().unwrap_or_default();
    settings.into_iter().filter(|(name, _)| deciding.contains(name.as_str())).collect()
}

impl Round {
    /// Whether nothing is said in it of any function.
    pub(super) fn is_fresh(&self) -> bool {
        self.accounts.is_empty() && self.functions.values().all(|own| own.settings.is_empty())
    }

    /// The configuration with which a function is deployed.
    pub(super) fn config(&self, function: &str) -> Map<String, Value> {
        let mut config = Map::new();
        if !self.is_fresh() {
            let settings = self.functions.get(function).map(|own| own.settings.clone()).unwrap_or_default();
            config.insert("settings".to_owned(), json!(settings));
            config.insert("accounts".to_owned(), json!(self.accounts));
            config.insert("mode".to_owned(), json!("enforce"));
            config.insert("changes_per_hour".to_owned(), json!(7));
        }
        config
    }
}
