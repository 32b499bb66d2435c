//! Whether a call by itself opens a guarded port to the world: its own rules, judged as the live ones are. Pure.
//!
//! What was there before is not in the event, so of a rule that makes the world only together with others nothing is said.

use std::collections::BTreeMap;

use serde_json::Value;
use tourniquet::Event;
use tourniquet::cloudtrail::{ApiCall, DETAIL_TYPE};

use crate::exposure::judge;
use crate::manager::manager;
use crate::observation::Observation;
use crate::rule::{Access, Rule, Source};
use crate::settings::{Answer, Settings};

/// Why the event alone shows that something is to be closed.
pub(crate) fn proven(event: &Event, settings: &Settings) -> Option<String> {
    if event.detail_type() != DETAIL_TYPE {
        return None;
    }
    let call = ApiCall::of(event).ok()?;
    let accesses = accesses(&call);
    let numbered = accesses.into_iter().enumerate().map(|(number, access)| Rule {
        id: number.to_string(),
        access,
        description: None,
        tags: BTreeMap::new(),
    });
    let owner = call.response_elements.pointer("/securityGroupRuleSet/items/0/groupOwnerId");
    let owner = owner.and_then(Value::as_str).unwrap_or_default().to_owned();
    let seen = Observation { owner, rules: numbered.collect(), ..Observation::default() };
    if settings.managed_groups == Answer::Report && manager(&seen).is_some() {
        return None;
    }
    let exposure = judge(&seen.rules, &seen, settings, |_, _| false);
    (!exposure.closed.is_empty()).then(|| exposure.findings.join("; "))
}

/// The inbound rules that a call made: as AWS answered, which is how it stored them, else as they were asked for.
fn accesses(call: &ApiCall) -> Vec<Access> {
    let (asked, answered) = (&call.request_parameters, &call.response_elements);
    match call.event_name.as_str() {
        "AuthorizeSecurityGroupIngress" => {
            let made = items(answered.pointer("/securityGroupRuleSet/items"));
            let made = made.filter(|rule| rule.get("isEgress").and_then(Value::as_bool) != Some(true));
            let made: Vec<Access> = made.filter_map(flat).collect();
            if !made.is_empty() {
                return made;
            }
            let permissions = items(asked.pointer("/ipPermissions/items")).flat_map(nested);
            permissions.chain(flat(asked)).collect()
        }
        "ModifySecurityGroupRules" => {
            items(asked.pointer("/ModifySecurityGroupRulesRequest/SecurityGroupRule"))
                .filter_map(|rule| rule.get("SecurityGroupRule"))
                .filter_map(flat)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// A list; `CloudTrail` writes a list of one as the one in some places.
fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    match list {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
    .iter()
}

/// A permission with the sources that are given for it.
fn nested(permission: &Value) -> Vec<Access> {
    type Make = fn(String) -> Source;
    let lists: [(&str, &str, Make); 3] = [
        ("/ipRanges/items", "cidrIp", Source::Ipv4),
        ("/ipv6Ranges/items", "cidrIpv6", Source::Ipv6),
        ("/prefixListIds/items", "prefixListId", Source::PrefixList),
    ];
    let sources = lists.into_iter().flat_map(|(list, key, make)| {
        items(permission.pointer(list))
            .filter_map(move |item| Some(make(item.get(key)?.as_str()?.to_owned())))
    });
    sources.filter_map(|source| access(permission, source)).collect()
}

/// A rule with one source, under the names of either generation of the API.
fn flat(rule: &Value) -> Option<Access> {
    let text = |names: &[&str]| names.iter().find_map(|name| rule.get(name)).and_then(Value::as_str);
    let source = text(&["cidrIpv4", "CidrIpv4", "cidrIp"])
        .map(|block| Source::Ipv4(block.to_owned()))
        .or_else(|| Some(Source::Ipv6(text(&["cidrIpv6", "CidrIpv6"])?.to_owned())))
        .or_else(|| Some(Source::PrefixList(text(&["prefixListId", "PrefixListId"])?.to_owned())))?;
    access(rule, source)
}

fn access(rule: &Value, source: Source) -> Option<Access> {
    let field = |names: [&str; 2]| names.iter().find_map(|name| rule.get(name));
    let protocol = match field(["ipProtocol", "IpProtocol"])? {
        Value::String(text) => text.clone(),
        number => number.to_string(),
    };
    let port = |names| field(names).and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
    let (from, to) = (port(["fromPort", "FromPort"]), port(["toPort", "ToPort"]));
    let whole = protocol == "-1";
    Some(Access { from: from.filter(|_| !whole), to: to.filter(|_| !whole), protocol, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<String> {
        let path = format!("{}/fixtures/match/{name}.json", env!("CARGO_MANIFEST_DIR"));
        proven(&Event::parse(&std::fs::read_to_string(path).unwrap()).unwrap(), &Settings::default())
    }

    fn asked(parameters: &str) -> Option<String> {
        let raw = format!(
            r#"{{"eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","requestParameters":{parameters}}}"#
        );
        proven(&Event::parse(&raw).unwrap(), &Settings::default())
    }

    #[test]
    fn a_call_that_opens_a_guarded_port_to_the_world_is_proof() {
        let all = "is open to all of the public IPv4 addresses (0.0.0.0/0)";
        for name in ["ssh-opened", "rule-modified", "rules-modified", "flat-form", "by-name"] {
            assert_eq!(of(name), Some(format!("tcp/22 {all}")), "{name}");
        }
        assert!(of("rdp-opened-both-families").unwrap().contains("IPv6"));
        for name in ["group-created", "prefix-list-modified", "restricted-ssh"] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn what_was_asked_for_is_judged_where_the_answer_does_not_say() {
        let permission = |ports: &str, ranges: &str| {
            asked(&format!(
                r#"{{"groupId":"sg-0a1b2c3d","ipPermissions":{{"items":[{{"ipProtocol":"tcp",{ports},{ranges}}}]}}}}"#
            ))
        };
        let ssh = r#""fromPort":22,"toPort":22"#;
        let from = |blocks: &[&str]| {
            let blocks: Vec<String> =
                blocks.iter().map(|block| format!(r#"{{"cidrIp":"{block}"}}"#)).collect();
            format!(r#""ipRanges":{{"items":[{}]}}"#, blocks.join(","))
        };
        assert!(permission(ssh, &from(&["0.0.0.0/0"])).is_some());
        assert!(permission(ssh, &from(&["0.0.0.0/1", "128.0.0.0/1"])).is_some());
        assert!(permission(ssh, r#""ipv6Ranges":{"items":[{"cidrIpv6":"::/0"}]}"#).is_some());
        assert_eq!(permission(r#""fromPort":443,"toPort":443"#, &from(&["0.0.0.0/0"])), None);
        assert_eq!(permission(ssh, &from(&["203.0.113.0/24"])), None);
        // Who is in the list, only AWS knows.
        assert_eq!(permission(ssh, r#""prefixListIds":{"items":[{"prefixListId":"pl-0a1b2c3d"}]}"#), None);
        assert!(asked(r#"{"groupId":"sg-0a1b2c3d","ipProtocol":"-1","cidrIp":"0.0.0.0/0"}"#).is_some());
    }

    #[test]
    fn rules_that_go_out_or_belong_to_a_service_are_no_proof() {
        let answered = |owner: &str, egress: bool| {
            let raw = format!(
                r#"{{"eventSource":"ec2.amazonaws.com","eventName":"AuthorizeSecurityGroupIngress","responseElements":{{"securityGroupRuleSet":
                {{"items":[{{"groupOwnerId":"{owner}","isEgress":{egress},"ipProtocol":"tcp","fromPort":22,"toPort":22,"cidrIpv4":"0.0.0.0/0"}}]}}}}}}"#
            );
            proven(&Event::parse(&raw).unwrap(), &Settings::default())
        };
        assert!(answered("111122223333", false).is_some());
        assert_eq!(answered("111122223333", true), None);
        assert_eq!(answered("amazon-elb", false), None);
    }
}
