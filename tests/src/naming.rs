//! What a request to AWS is called: service and operation, its parameters and the protocol that its errors are in.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

/// How a service writes its answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    /// EC2's own variant of Query.
    Ec2,
    /// Form parameters in, XML out: IAM, STS, SNS, Auto Scaling, load balancing.
    Query,
    /// JSON with `X-Amz-Target`: `DynamoDB`, `CloudTrail`.
    Json,
    /// S3.
    RestXml,
}

/// A request by its name.
#[derive(Debug)]
pub struct Named {
    /// Such as `ec2:StopInstances`.
    pub name: String,
    /// The region it is signed for; empty if unsigned.
    pub region: String,
    /// Whether it is signed.
    pub signed: bool,
    /// How its answer is written.
    pub protocol: Protocol,
    /// Its parameters.
    pub parameters: Value,
}

/// Names a request.
#[must_use]
pub fn of(head: &Parts, body: &[u8]) -> Named {
    let scope = scope(&head.headers);
    let signed = scope.is_some();
    let (region, signing_name) = scope.unwrap_or_default();
    let query = head.uri.query().unwrap_or_default();
    let form = form(if body.is_empty() { query.as_bytes() } else { body });
    let (operation, protocol, parameters) = if let Some(target) = text(&head.headers, "x-amz-target") {
        let operation = target.rsplit('.').next().unwrap_or(target).to_owned();
        (operation, Protocol::Json, serde_json::from_slice(body).unwrap_or(Value::Null))
    } else if let Some(action) = form.get("Action") {
        let protocol = if signing_name == "ec2" { Protocol::Ec2 } else { Protocol::Query };
        let rest = form.iter().filter(|(key, _)| *key != "Action" && *key != "Version");
        let parameters: Map<String, Value> = rest.map(|(key, value)| (key.clone(), json!(value))).collect();
        (action.clone(), protocol, Value::Object(parameters))
    } else {
        let operation = rest(head.method.as_str(), head.uri.path(), query);
        let parameters =
            json!({"path": head.uri.path(), "query": query, "body": String::from_utf8_lossy(body)});
        (operation, Protocol::RestXml, parameters)
    };
    let service = match signing_name.as_str() {
        "" => "unsigned",
        "s3" if head.uri.path().starts_with("/v20180820/") => "s3control",
        service => service,
    };
    Named { name: format!("{service}:{operation}"), region, signed, protocol, parameters }
}

/// Region and service from the credential scope of a signature.
fn scope(headers: &HeaderMap) -> Option<(String, String)> {
    let credential = text(headers, "authorization")?.split("Credential=").nth(1)?.split(',').next()?;
    let mut parts = credential.trim().split('/').skip(2);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// S3 has no operation names on the wire: they follow from the method, the sub-resource and how deep the path is.
fn rest(method: &str, path: &str, query: &str) -> String {
    if let Some((_, operation)) = path.split_once("/operation/") {
        return operation.to_owned();
    }
    let verb = match method {
        "PUT" => "Put",
        "DELETE" => "Delete",
        "HEAD" => "Head",
        "POST" => "Post",
        _ => "Get",
    };
    let sub = query.split('&').next().and_then(|first| first.split('=').next()).unwrap_or_default();
    let key = path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let noun = match sub {
        _ if path.ends_with("/configuration/publicAccessBlock") => "PublicAccessBlock",
        "publicAccessBlock" => "PublicAccessBlock",
        "acl" if key => "ObjectAcl",
        "acl" => "BucketAcl",
        "policy" => "BucketPolicy",
        "policyStatus" => "BucketPolicyStatus",
        "ownershipControls" => "BucketOwnershipControls",
        "website" => "BucketWebsite",
        "cors" => "BucketCors",
        "location" => "BucketLocation",
        "tagging" if key => "ObjectTagging",
        "tagging" => "BucketTagging",
        "encryption" => "BucketEncryption",
        "versioning" => "BucketVersioning",
        "logging" => "BucketLogging",
        "lifecycle" => "BucketLifecycleConfiguration",
        "replication" => "BucketReplication",
        "notification" => "BucketNotificationConfiguration",
        "list-type" => return "ListObjectsV2".to_owned(),
        _ if path == "/" => return "ListBuckets".to_owned(),
        _ if key => "Object",
        _ => "Bucket",
    };
    format!("{verb}{noun}")
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    text.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap_or(b'?'));
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use hyper::Request;
    use serde_json::json;

    use super::{Protocol, of};

    const SIGNED: &str =
        "AWS4-HMAC-SHA256 Credential=ASIAX/20261122/eu-west-1/ec2/aws4_request, SignedHeaders=host";

    #[test]
    fn form_requests_are_named_by_their_action() {
        let (head, ()) = Request::post("/").header("authorization", SIGNED).body(()).unwrap().into_parts();
        let named = of(&head, b"Action=StopInstances&Version=2016-11-15&InstanceId.1=i-1&Why=a+b%2Fc");
        assert_eq!((named.name.as_str(), named.protocol), ("ec2:StopInstances", Protocol::Ec2));
        assert_eq!(named.parameters, json!({"InstanceId.1": "i-1", "Why": "a b/c"}));
        assert_eq!(named.region, "eu-west-1");
    }

    #[test]
    fn buckets_are_named_by_their_sub_resource() {
        let (head, ()) = Request::put("/logs?publicAccessBlock")
            .header("authorization", SIGNED.replace("/ec2/", "/s3/"))
            .body(())
            .unwrap()
            .into_parts();
        assert_eq!(of(&head, b"<x/>").name, "s3:PutPublicAccessBlock");
    }
}
