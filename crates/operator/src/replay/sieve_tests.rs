use super::*;

const CALLS: &str = r#"{"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["s3.amazonaws.com"],
    "eventName":["PutBucketAcl","DeleteBucket"],"errorCode":[{"exists":false}]}}"#;

fn keeps(trigger: &str, record: &str) -> bool {
    Sieve::new([trigger]).unwrap().keeps(record.as_bytes())
}

#[test]
fn a_record_with_one_of_the_names_is_kept() {
    assert!(keeps(CALLS, r#"{"eventName":"PutBucketAcl"}"#));
    assert!(keeps(CALLS, r#"{ "eventName" : "DeleteBucket" }"#));
    assert!(!keeps(CALLS, r#"{"eventName":"DeleteBucketPolicy","eventSource":"s3.amazonaws.com"}"#));
    assert!(!keeps(CALLS, r#"{"eventName":"GetObject","key":"PutBucketAcl.txt"}"#));
}

#[test]
fn a_name_that_is_spelled_with_escapes_is_kept() {
    assert!(keeps(CALLS, r#"{"eventName":"Put\u0042ucketAcl"}"#));
    assert!(keeps(CALLS, r#"{"eventName":"Put\u0042ucket\u0041cl"}"#));
    // Escapes that stand for no letter of a name hide none.
    assert!(!keeps(CALLS, r#"{"eventName":"GetObject","policy":"{\"a\":\"\\n\u003c\u00e9\"}"}"#));
    let findings = r#"{"detail":{"type":[{"prefix":"Policy:S3/"}]}}"#;
    assert!(keeps(findings, r#"{"type":"Policy:S3\/BucketPublic"}"#));
    assert!(keeps(findings, r#"{"type":"Policy:S3/BucketPublic"}"#));
    assert!(!keeps(findings, r#"{"type":"Policy:IAMUser/RootCredentialUsage"}"#));
}

#[test]
fn what_is_not_understood_lets_everything_through() {
    for detail in [
        r#"{"eventName":[{"wildcard":"Put*"}]}"#,
        r#"{"eventName":["PutBucketAcl",{"anything-but":"X"}]}"#,
        r#"{"eventName":[{"prefix":""}]}"#,
        r#"{"eventName":[{"prefix":{"equals-ignore-case":"put"}}]}"#,
        r#"{"eventName":["größe"]}"#,
        r#"{"severity":[{"numeric":[">",1]}]}"#,
        r#"{"$or":[{"eventName":["PutBucketAcl"]},{"severity":[1]}]}"#,
    ] {
        assert!(keeps(&format!(r#"{{"detail":{detail}}}"#), "{}"), "{detail}");
    }
    assert!(keeps(r#"{"source":["aws.s3"]}"#, "{}"));
    // Another field still says enough.
    let both = r#"{"detail":{"eventName":[{"wildcard":"Put*"}],"eventSource":["s3.amazonaws.com"]}}"#;
    assert!(keeps(both, r#"{"eventSource":"s3.amazonaws.com"}"#) && !keeps(both, "{}"));
    assert!(Sieve::new(["{"]).is_none());
}

#[test]
fn the_functions_own_triggers_let_few_through() {
    let patterns = crate::rooms::ALL.iter().flat_map(|room| room.triggers).map(|(_, pattern)| *pattern);
    let sieve = Sieve::new(patterns).unwrap();
    assert!(sieve.search.is_some());
    let common = r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"a":"{\"Effect\":\"Allow\"}"}}"#;
    assert!(!sieve.keeps(common.as_bytes()));
}
