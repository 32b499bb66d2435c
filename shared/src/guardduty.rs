//! The parts of a GuardDuty finding that functions share.
//!
//! EventBridge sends findings in lowerCamelCase; the API and the console's export have them in PascalCase. Both are
//! understood. There is no type for findings in `aws_lambda_events`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::actor::Actor;
use crate::error::Error;
use crate::event::{Event, from_value};

/// One finding. Only what decisions and reports read.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The same for every update of the finding.
    pub id: Option<String>,
    /// Such as `Backdoor:EC2/C&CActivity.B`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// 1.0 to 10.0; Critical is 9.0 and above.
    pub severity: Option<f64>,
    /// The account of the resource. GuardDuty's delegated administrator gets the findings of all members.
    pub account_id: Option<String>,
    /// The region of the resource.
    pub region: Option<String>,
    title: Option<String>,
    /// What it is about.
    #[serde(default, deserialize_with = "object")]
    pub resource: Resource,
    /// What was seen.
    #[serde(default, deserialize_with = "object")]
    pub service: Service,
}

/// What a finding is about. The kind of finding is told by `resource_type`, never by its type's middle word: samples
/// of other kinds carry a decoy instance.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Resource {
    /// Such as `Instance` or `AccessKey`.
    pub resource_type: Option<String>,
    /// Empty where no instance is involved.
    #[serde(deserialize_with = "object")]
    pub instance_details: InstanceDetails,
    /// Empty where no bucket is involved; findings about a principal can name buckets too.
    pub s3_bucket_details: Vec<BucketDetails>,
}

/// One bucket of a finding.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BucketDetails {
    /// The bucket's name.
    pub name: Option<String>,
}

/// The instance of a finding.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstanceDetails {
    /// Such as `i-0abc`.
    pub instance_id: Option<String>,
}

/// What was seen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// Whether somebody put the finding away, or a suppression rule did.
    #[serde(deserialize_with = "flag")]
    pub archived: bool,
    /// `ACTOR` if the resource did it, `TARGET` if it was done to the resource.
    pub resource_role: Option<String>,
    additional_info: Value,
    action: Value,
    #[serde(deserialize_with = "object")]
    detection: Detection,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detection {
    #[serde(deserialize_with = "object")]
    sequence: Sequence,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sequence {
    resources: Vec<SequenceResource>,
}

/// One of the resources of an attack sequence.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SequenceResource {
    /// Such as `EC2_INSTANCE`.
    pub resource_type: Option<String>,
    /// The resource's ARN or id.
    pub uid: Option<String>,
    /// The account of the resource.
    pub account_id: Option<String>,
    /// The region of the resource.
    pub region: Option<String>,
}

impl Finding {
    /// The finding of an event.
    pub fn of(event: &Event) -> Result<Self, Error> {
        let detail = event.detail();
        let pascal = detail.get("Resource").is_some() || detail.get("Type").is_some();
        from_value(if pascal { camel(detail.clone()) } else { detail.clone() }, "detail")
    }

    /// Whether GuardDuty made it up on request, to show what findings look like.
    ///
    /// Newer findings wrap the additional information as JSON text in `value`.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        let info = &self.service.additional_info;
        let inner =
            info.get("value").and_then(Value::as_str).and_then(|v| serde_json::from_str::<Value>(v).ok());
        [Some(info), inner.as_ref()].into_iter().flatten().any(|i| i.get("sample").is_some_and(truth))
            || self.title.as_deref().is_some_and(|t| t.starts_with("[SAMPLE]"))
    }

    /// The resources of an attack sequence; empty for every other finding.
    #[must_use]
    pub fn sequence(&self) -> &[SequenceResource] {
        &self.service.detection.sequence.resources
    }

    /// The resource of a type, such as `AWS::CloudTrail::Trail`, that the API call of the finding affected.
    #[must_use]
    pub fn affected(&self, kind: &str) -> Option<&str> {
        self.service.action.get("awsApiCallAction")?.get("affectedResources")?.get(kind)?.as_str()
    }

    /// Whether it tells of several signals over several resources, which no single role describes.
    #[must_use]
    pub fn is_sequence(&self) -> bool {
        self.kind.as_deref().is_some_and(|k| k.starts_with("AttackSequence:"))
    }

    /// Who was on the other side, as far as the finding says.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let source_ip =
            ["networkConnectionAction", "awsApiCallAction", "rdpLoginAttemptAction"].iter().find_map(
                |name| self.service.action.get(name)?.get("remoteIpDetails")?.get("ipAddressV4")?.as_str(),
            );
        Actor { source_ip: source_ip.map(str::to_owned), ..Actor::default() }
    }
}

/// The same value with every key beginning in lower case.
fn camel(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(k, v)| (lower_first(&k), camel(v))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(camel).collect()),
        other => other,
    }
}

fn lower_first(key: &str) -> String {
    let mut chars = key.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn truth(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || value.as_str().is_some_and(|s| s.eq_ignore_ascii_case("true"))
}

/// An object, or `null` for an absent one. The derived code would also take a list for the fields in their order.
fn object<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    struct Object<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Object<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_unit<E>(self) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(Object(PhantomData))
}

/// Console exports write some booleans as text.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Value::deserialize(deserializer).map(|value| truth(&value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn finding(detail: &Value) -> Finding {
        let raw = json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": detail})
            .to_string();
        Finding::of(&Event::parse(&raw).unwrap()).unwrap()
    }

    #[test]
    fn e1_both_spellings_are_understood() {
        let camel = finding(
            &json!({"type": "T", "severity": 5, "resource": {"instanceDetails": {"instanceId": "i-1"}}, "service": {"resourceRole": "ACTOR"}}),
        );
        let pascal = finding(
            &json!({"Type": "T", "Severity": 5, "Resource": {"InstanceDetails": {"InstanceId": "i-1"}}, "Service": {"ResourceRole": "ACTOR"}}),
        );
        for f in [camel, pascal] {
            assert_eq!(f.resource.instance_details.instance_id.as_deref(), Some("i-1"));
            assert_eq!(f.service.resource_role.as_deref(), Some("ACTOR"));
        }
    }

    #[test]
    fn e2_all_marks_of_a_sample_are_known() {
        assert!(finding(&json!({"type": "T", "service": {"additionalInfo": {"sample": true}}})).is_sample());
        assert!(
            finding(&json!({"type": "T", "service": {"additionalInfo": {"value": "{\"sample\":true}"}}}))
                .is_sample()
        );
        assert!(finding(&json!({"type": "T", "title": "[SAMPLE] x"})).is_sample());
        assert!(!finding(&json!({"type": "T", "title": "a [SAMPLE]"})).is_sample());
    }

    #[test]
    fn e3_severity_is_a_number_of_either_kind() {
        for (text, number) in [("5", 5.0), ("5.0", 5.0), ("8", 8.0), ("9.5", 9.5)] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert!(
                (finding(&json!({"type": "T", "severity": value})).severity.unwrap() - number).abs() < 1e-9
            );
        }
    }

    #[test]
    fn g16_a_list_is_no_object() {
        for detail in [
            json!({"resource": []}),
            json!({"service": [true]}),
            json!({"resource": {"instanceDetails": []}}),
            json!({"service": {"detection": {"sequence": []}}}),
        ] {
            let raw =
                json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": detail})
                    .to_string();
            let error = Finding::of(&Event::parse(&raw).unwrap()).unwrap_err();
            assert!(error.to_string().contains("invalid type: sequence, expected an object"), "{error}");
        }
    }

    #[test]
    fn g16_a_wrong_type_names_its_field() {
        let raw = json!({"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": {"severity": "high"}}).to_string();
        let error = Finding::of(&Event::parse(&raw).unwrap()).unwrap_err();
        assert!(error.to_string().contains("detail.severity: invalid type"), "{error}");
    }
}
