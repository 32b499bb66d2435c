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
    /// S3 Control: as S3, with an envelope around its errors.
    S3Control,
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
        let control = head.uri.path().starts_with("/v20180820/");
        (operation, if control { Protocol::S3Control } else { Protocol::RestXml }, parameters)
    };
    let service = if signing_name.is_empty() { "unsigned" } else { signing_name.as_str() };
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

/// S3 and S3 Control have no operation names on the wire. The name is the IAM action that the request needs, which follows
/// from the method, the sub-resource and the path; it differs from the operation's name here and there.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
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
    if let Some(path) = path.strip_prefix("/v20180820/") {
        return control(verb, path);
    }
    let sub = query.split('&').next().and_then(|first| first.split('=').next()).unwrap_or_default();
    let key = path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    // Taking a configuration away needs the permission to put one.
    let put = if verb == "Delete" { "Put" } else { verb };
    match sub {
        "publicAccessBlock" => format!("{put}BucketPublicAccessBlock"),
        "acl" if key => format!("{verb}ObjectAcl"),
        "acl" => format!("{verb}BucketAcl"),
        "policy" => format!("{verb}BucketPolicy"),
        "policyStatus" => format!("{verb}BucketPolicyStatus"),
        "ownershipControls" => format!("{put}BucketOwnershipControls"),
        "website" => format!("{verb}BucketWebsite"),
        "cors" => format!("{put}BucketCORS"),
        "location" => format!("{verb}BucketLocation"),
        "tagging" if key => format!("{verb}ObjectTagging"),
        "tagging" => format!("{put}BucketTagging"),
        "encryption" => format!("{put}EncryptionConfiguration"),
        "versioning" => format!("{verb}BucketVersioning"),
        "logging" => format!("{verb}BucketLogging"),
        "lifecycle" => format!("{put}LifecycleConfiguration"),
        "replication" => format!("{put}ReplicationConfiguration"),
        "notification" => format!("{verb}BucketNotification"),
        _ if path == "/" => "ListAllMyBuckets".to_owned(),
        _ if key && verb == "Head" => "GetObject".to_owned(),
        _ if key => format!("{verb}Object"),
        _ => match verb {
            "Put" => "CreateBucket".to_owned(),
            "Get" | "Head" => "ListBucket".to_owned(),
            other => format!("{other}Bucket"),
        },
    }
}

/// S3 Control: an account's block, and access points.
fn control(verb: &str, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match (parts.as_slice(), verb) {
        (["configuration", "publicAccessBlock"], "Get") => "GetAccountPublicAccessBlock".to_owned(),
        (["configuration", "publicAccessBlock"], _) => "PutAccountPublicAccessBlock".to_owned(),
        (["accesspoint"], _) => "ListAccessPoints".to_owned(),
        (["accesspoint", _], "Put") => "CreateAccessPoint".to_owned(),
        (["accesspoint", _], verb) => format!("{verb}AccessPoint"),
        (["accesspoint", _, "policy"], verb) => format!("{verb}AccessPointPolicy"),
        (["accesspoint", _, "policyStatus"], verb) => format!("{verb}AccessPointPolicyStatus"),
        (_, verb) => format!("{verb}{}", path.replace('/', "")),
    }
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
    fn s3_requests_are_named_as_iam_names_their_actions() {
        for (method, uri, name) in [
            ("GET", "/?max-buckets=1000&x-id=ListBuckets", "s3:ListAllMyBuckets"),
            ("PUT", "/logs?publicAccessBlock", "s3:PutBucketPublicAccessBlock"),
            ("DELETE", "/logs?publicAccessBlock", "s3:PutBucketPublicAccessBlock"),
            ("GET", "/logs?policyStatus", "s3:GetBucketPolicyStatus"),
            ("DELETE", "/logs?policy", "s3:DeleteBucketPolicy"),
            ("GET", "/logs?acl", "s3:GetBucketAcl"),
            ("HEAD", "/logs", "s3:ListBucket"),
            ("PUT", "/logs", "s3:CreateBucket"),
            ("PUT", "/logs/a/b?x-id=PutObject", "s3:PutObject"),
            ("GET", "/v20180820/configuration/publicAccessBlock", "s3:GetAccountPublicAccessBlock"),
            ("DELETE", "/v20180820/configuration/publicAccessBlock", "s3:PutAccountPublicAccessBlock"),
            ("GET", "/v20180820/accesspoint?bucket=logs", "s3:ListAccessPoints"),
            ("GET", "/v20180820/accesspoint/front", "s3:GetAccessPoint"),
            ("GET", "/v20180820/accesspoint/front/policyStatus", "s3:GetAccessPointPolicyStatus"),
        ] {
            let signed = SIGNED.replace("/ec2/", "/s3/");
            let request = Request::builder().method(method).uri(uri).header("authorization", signed);
            let (head, ()) = request.body(()).unwrap().into_parts();
            let named = of(&head, b"<x/>");
            let control = uri.starts_with("/v2");
            let protocol = if control { Protocol::S3Control } else { Protocol::RestXml };
            assert_eq!((named.name.as_str(), named.protocol), (name, protocol), "{method} {uri}");
        }
    }
}
