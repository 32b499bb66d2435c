//! Whether a finding by itself shows that an instance is to be stopped. Pure.
//!
//! The finding's type, severity and role were judged when its instances were named; what is left is whether the instance
//! is protected, and of its tags the finding tells those of the time.

use std::collections::BTreeMap;

use serde_json::Value;
use tourniquet::guardduty::Finding;
use tourniquet::{Event, Lead};

use crate::event::Detail;
use crate::settings::Settings;

/// Why the finding alone shows that the instance is to be stopped. A sequence tells nothing of the tags of its instances, and was
/// seen over hours: whether they run, only AWS knows.
pub(crate) fn proven(event: &Event, lead: &Lead<Detail>, settings: &Settings) -> Option<String> {
    if Finding::of(event).ok()?.is_sequence() {
        return None;
    }
    let details = ["resource", "Resource"].iter().find_map(|key| event.detail().get(key))?;
    let details = ["instanceDetails", "InstanceDetails"].iter().find_map(|key| details.get(key))?;
    let tags = ["tags", "Tags"].iter().find_map(|key| details.get(key));
    if settings.protection(&lead.subject, &read(tags.unwrap_or(&Value::Null))).is_some() {
        return None;
    }
    Some(format!("GuardDuty: {} (severity {})", lead.detail.kind, lead.detail.severity))
}

fn read(tags: &Value) -> BTreeMap<String, String> {
    let text = |tag: &Value, names: [&str; 2]| {
        names.iter().find_map(|name| tag.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let tag =
        |tag: &Value| Some((text(tag, ["key", "Key"])?, text(tag, ["value", "Value"]).unwrap_or_default()));
    tags.as_array().into_iter().flatten().filter_map(tag).collect()
}

#[cfg(test)]
mod tests {
    use tourniquet::{Config, Room, Subjects};

    use super::*;
    use crate::StopInstance;

    fn of(name: &str, settings: &str) -> Option<String> {
        let path = format!("{}/fixtures/match/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let event = Event::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let config =
            Config::parse(&format!(r#"{{"account":"111122223333","settings":{settings}}}"#)).unwrap();
        let Subjects::Named(leads) = StopInstance::subjects(&event, &config).unwrap() else { return None };
        StopInstance::proven(&event, &leads[0], &config.settings)
    }

    #[test]
    fn an_attacker_is_to_be_stopped_unless_it_is_protected() {
        assert!(of("crypto-miner", "{}").unwrap().starts_with("GuardDuty: CryptoCurrency:EC2/BitcoinTool.B"));
        let path = format!("{}/fixtures/match/crypto-miner.json", env!("CARGO_MANIFEST_DIR"));
        let raw: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let instance = &raw["detail"]["resource"]["instanceDetails"];
        let (id, tag) = (instance["instanceId"].as_str().unwrap(), &instance["tags"][0]);
        assert_eq!(of("crypto-miner", &format!(r#"{{"protected":["{id}"]}}"#)), None);
        assert_eq!(of("crypto-miner", &format!(r#"{{"protected_tags":{{{}:"*"}}}}"#, tag["key"])), None);
        assert_eq!(of("attack-sequence", "{}"), None);
        assert_eq!(of("sample", "{}"), None);
    }
}
