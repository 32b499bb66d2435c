use tourniquet::{Consent, Reverted};

use super::*;

/// The trail as our changes left it: every difference is gone.
fn as_we_left_it(name: &str) -> Answer {
    match name {
        "GetTrail" => ok(
            &json!({"Trail": {"S3BucketName": "audit-logs", "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": true,
            "LogFileValidationEnabled": true, "CloudWatchLogsLogGroupArn": "arn:lg", "CloudWatchLogsRoleArn": "arn:role",
            "SnsTopicARN": "arn:topic", "IsOrganizationTrail": true}}),
        ),
        "GetEventSelectors" => {
            ok(&json!({"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
            "ExcludeManagementEventSources": ["kms.amazonaws.com"],
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::payments/"]}]}]}))
        }
        "GetInsightSelectors" => ok(
            &json!({"InsightSelectors": [{"InsightType": "ApiCallRateInsight", "EventCategories": ["Management"]}]}),
        ),
        "ListTags" => marked("0123456789"),
        _ => ok(&json!({})),
    }
}

/// The trail with the tag of a run that restarted it.
fn marked(cause: &str) -> Answer {
    let tag = json!({"Key": "tourniquet:restarted", "Value": cause});
    ok(&json!({"ResourceTagList": [{"ResourceId": ARN, "TagsList": [tag]}]}))
}

/// The trail as it was before our changes.
fn as_it_was(name: &str) -> Answer {
    match name {
        "GetTrail" => ok(&json!({"Trail": {"S3BucketName": "elsewhere", "S3KeyPrefix": "x",
            "KmsKeyId": "arn:aws:kms:eu-central-1:999900009999:key/k9"}})),
        "GetInsightSelectors" => refused("InsightNotEnabledException"),
        "ListTags" => ok(&json!({"ResourceTagList": [{"ResourceId": ARN, "TagsList": []}]})),
        // No selectors among them.
        _ => ok(&json!({})),
    }
}

/// The trail after somebody else changed it to something third.
fn drifted(name: &str) -> Answer {
    match name {
        "GetTrail" => ok(
            &json!({"Trail": {"S3BucketName": "third", "IsMultiRegionTrail": true, "CloudWatchLogsLogGroupArn": "arn:third",
            "SnsTopicARN": "arn:third"}}),
        ),
        "GetEventSelectors" => {
            ok(&json!({"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]}))
        }
        "GetInsightSelectors" => ok(&json!({"InsightSelectors": [{"InsightType": "ApiErrorRateInsight"}]})),
        "ListTags" => marked("9876543210"),
        _ => ok(&json!({})),
    }
}

async fn reverted(answer: fn(&str) -> Answer, consent: Consent) -> Vec<String> {
    let mut wire = Vec::new();
    let all = every_change().into_iter().map(|change| (change, lead())).chain([started()]);
    for (change, lead) in all {
        let (clients, requests) = recording(move |name, _| answer(name));
        let done = revert(&clients, &lead, &change, consent).await.unwrap();
        let calls = requests.lock().unwrap().clone();
        let reads = |call: &String| call.contains(" Get") || call.contains(" ListTags");
        let changing: Vec<_> = calls.into_iter().filter(|call| !reads(call)).collect();
        let line = format!("{}: {done:?}\n  {}", change.key(), changing.join("\n  "));
        wire.push(line.trim_end().to_owned());
    }
    wire
}

#[tokio::test]
async fn c15_undo_sends_exactly_these_requests() {
    insta::assert_snapshot!(reverted(as_we_left_it, Consent::Explicit).await.join("\n"));
}

#[tokio::test]
async fn c15_undo_never_stops_or_deletes_and_weakens_only_when_asked() {
    for answer in [as_we_left_it, as_it_was, drifted] {
        for consent in [Consent::Look, Consent::Plain, Consent::Explicit] {
            let wire = reverted(answer, consent).await.join("\n");
            assert!(!wire.contains(" Stop") && !wire.contains(" Delete"), "{wire}");
            if consent != Consent::Explicit {
                assert!(!wire.contains(" Update") && !wire.contains(" Put"), "{wire}");
            }
            assert!(consent != Consent::Look || !wire.contains(" RemoveTags"), "{wire}");
        }
    }
    let plain = reverted(as_we_left_it, Consent::Plain).await.join("\n");
    assert!(plain.contains("only when that is asked for"));
}

#[tokio::test]
async fn c15_undo_refuses_on_drift_and_does_nothing_the_second_time() {
    let drift = reverted(drifted, Consent::Explicit).await.join("\n");
    assert!(
        !drift.contains(" Update") && !drift.contains(" Put") && !drift.contains(" RemoveTags"),
        "{drift}"
    );
    assert!(
        drift.contains("found: \"bucket: third") && drift.contains("found: \"ApiErrorRateInsight\""),
        "{drift}"
    );
    let second = reverted(as_it_was, Consent::Explicit).await;
    let restored = second.iter().filter(|line| line.contains(" Update") || line.contains(" Put")).count();
    assert_eq!(restored, 0, "{second:?}");
    assert!(second.iter().any(|line| line.contains(&format!("{:?}", Reverted::AlreadyThere))));
}
