//! Between AWS's shapes and ours.

use aws_sdk_cloudtrail::error::BuildError;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusOutput;
use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, DataResource, EventSelector, InsightSelector, InsightType,
    ReadWriteType, SourceEventCategory, Tag, Trail,
};
use jiff::Timestamp;
use tourniquet::error::Error;

use crate::observation::{DeliveryError, Destination};
use crate::selectors::{Advanced, Basic, Condition, Data, Selectors};
use crate::trail::{Insight, Setting, TrailSettings};

/// The settings of a trail, and nothing of what AWS adds.
pub(super) fn settings(trail: &Trail) -> TrailSettings {
    let flag = |value: Option<bool>| Some(if value.unwrap_or(false) { "true" } else { "false" });
    let values = [
        (Setting::Bucket, trail.s3_bucket_name()),
        (Setting::Prefix, trail.s3_key_prefix()),
        (Setting::Key, trail.kms_key_id()),
        (Setting::GlobalEvents, flag(trail.include_global_service_events())),
        (Setting::MultiRegion, flag(trail.is_multi_region_trail())),
        (Setting::Validation, flag(trail.log_file_validation_enabled())),
        (Setting::LogGroup, trail.cloud_watch_logs_log_group_arn()),
        (Setting::LogRole, trail.cloud_watch_logs_role_arn()),
        (Setting::Topic, trail.sns_topic_arn()),
        (Setting::Organization, flag(trail.is_organization_trail())),
    ];
    let set = values.into_iter().filter_map(|(setting, value)| Some((setting, value?.to_owned())));
    TrailSettings(set.filter(|(_, value)| !value.is_empty()).collect())
}

/// What a trail cannot deliver.
pub(super) fn errors(status: &GetTrailStatusOutput) -> Vec<DeliveryError> {
    let all = [
        (Destination::Bucket, status.latest_delivery_error()),
        (Destination::Digest, status.latest_digest_delivery_error()),
        (Destination::Topic, status.latest_notification_error()),
        (Destination::LogGroup, status.latest_cloud_watch_logs_delivery_error()),
    ];
    let set = all.into_iter().filter_map(|(to, code)| Some(DeliveryError { to, code: code?.to_owned() }));
    set.filter(|error| !error.code.is_empty()).collect()
}

pub(super) fn time(at: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_second(at?.secs()).ok()
}

pub(super) fn selectors(answer: &GetEventSelectorsOutput) -> Selectors {
    Selectors {
        basic: answer.event_selectors().iter().map(basic).collect(),
        advanced: answer.advanced_event_selectors().iter().map(advanced).collect(),
    }
}

fn basic(selector: &EventSelector) -> Basic {
    let data = selector.data_resources().iter().map(|data| Data {
        kind: data.r#type().unwrap_or_default().to_owned(),
        values: data.values().to_vec(),
    });
    Basic {
        // AWS's defaults: everything that is not said is recorded.
        read_write: selector.read_write_type().map_or("All", ReadWriteType::as_str).to_owned(),
        management: selector.include_management_events().unwrap_or(true),
        excluded: selector.exclude_management_event_sources().to_vec(),
        data: data.collect(),
    }
}

fn advanced(selector: &AdvancedEventSelector) -> Advanced {
    let fields = selector.field_selectors().iter().map(|field| Condition {
        field: field.field().to_owned(),
        equals: field.equals().to_vec(),
        starts_with: field.starts_with().to_vec(),
        ends_with: field.ends_with().to_vec(),
        not_equals: field.not_equals().to_vec(),
        not_starts_with: field.not_starts_with().to_vec(),
        not_ends_with: field.not_ends_with().to_vec(),
    });
    Advanced { name: selector.name().map(str::to_owned), fields: fields.collect() }
}

pub(super) fn basic_selectors(selectors: &Selectors) -> Vec<EventSelector> {
    let one = |selector: &Basic| {
        let data = selector.data.iter().map(|data| {
            DataResource::builder().r#type(&data.kind).set_values(Some(data.values.clone())).build()
        });
        EventSelector::builder()
            .read_write_type(ReadWriteType::from(selector.read_write.as_str()))
            .include_management_events(selector.management)
            .set_exclude_management_event_sources(some(&selector.excluded))
            .set_data_resources(Some(data.collect()))
            .build()
    };
    selectors.basic.iter().map(one).collect()
}

pub(super) fn advanced_selectors(selectors: &Selectors) -> Result<Vec<AdvancedEventSelector>, Error> {
    let field = |field: &Condition| {
        AdvancedFieldSelector::builder()
            .field(&field.field)
            .set_equals(some(&field.equals))
            .set_starts_with(some(&field.starts_with))
            .set_ends_with(some(&field.ends_with))
            .set_not_equals(some(&field.not_equals))
            .set_not_starts_with(some(&field.not_starts_with))
            .set_not_ends_with(some(&field.not_ends_with))
            .build()
    };
    let one = |selector: &Advanced| {
        let fields = selector.fields.iter().map(field).collect::<Result<Vec<_>, _>>()?;
        let builder = AdvancedEventSelector::builder().set_name(selector.name.clone());
        builder.set_field_selectors(Some(fields)).build()
    };
    selectors.advanced.iter().map(one).collect::<Result<Vec<_>, _>>().map_err(unbuilt)
}

fn some(values: &[String]) -> Option<Vec<String>> {
    (!values.is_empty()).then(|| values.to_vec())
}

pub(super) fn insights(selectors: &[InsightSelector]) -> Vec<Insight> {
    let one = |selector: &InsightSelector| {
        let categories = selector.event_categories().iter().map(|c| c.as_str().to_owned());
        let kind = selector.insight_type()?.as_str().to_owned();
        Some(Insight { kind, categories: categories.collect() })
    };
    let mut insights: Vec<Insight> = selectors.iter().filter_map(one).collect();
    insights.sort();
    insights
}

pub(super) fn insight_selectors(insights: &[Insight]) -> Vec<InsightSelector> {
    let one = |insight: &Insight| {
        let categories: Vec<_> =
            insight.categories.iter().map(|c| SourceEventCategory::from(c.as_str())).collect();
        InsightSelector::builder()
            .insight_type(InsightType::from(insight.kind.as_str()))
            .set_event_categories((!categories.is_empty()).then_some(categories))
            .build()
    };
    insights.iter().map(one).collect()
}

pub(super) fn tag(key: &str, value: &str) -> Result<Tag, Error> {
    Tag::builder().key(key).value(value).build().map_err(unbuilt)
}

/// A baseline with an element that AWS's model does not allow, such as a condition without a field.
fn unbuilt(_: BuildError) -> Error {
    Error::Unexpected { call: "dynamodb:Query", missing: "a whole baseline" }
}
