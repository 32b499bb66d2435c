"""Writes log files as CloudTrail does, to measure `tourniquet replay` with: python3 tests/logs.py FOLDER FILES MEGABYTES

FILES gzip files of about MEGABYTES of JSON each. One record in a hundred is a call that a function answers; the others are
what accounts are full of. The same arguments write the same files.
"""

import gzip
import json
import random
import sys
from pathlib import Path

ACCOUNT = "111122223333"
REGIONS = ["eu-central-1", "eu-west-1", "us-east-1"]
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::reports/*"}],
}

# Service, call, whether it reads only, how often, parameters, answer.
COMMON = [
    ("sts", "AssumeRole", True, 30, {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy", "roleSessionName": "ci-{n}", "durationSeconds": 3600},
     {"credentials": {"accessKeyId": "ASIA{x}", "sessionToken": "{x}{x}{x}{x}{x}{x}{x}{x}", "expiration": "Nov 2, 2026, 1:00:00 AM"}, "assumedRoleUser": {"assumedRoleId": "AROA{x}:ci-{n}", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/ci-{{n}}"}}),
    ("kms", "Decrypt", True, 20, {"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::data-lake/part-{n}.parquet"}, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}, None),
    ("ec2", "DescribeInstances", True, 12, {"instancesSet": {"items": [{"instanceId": "i-0{x}"}]}, "filterSet": {}}, None),
    ("s3", "GetObject", True, 15, {"bucketName": "data-lake", "Host": "data-lake.s3.eu-central-1.amazonaws.com", "key": "year=2026/part-{n}.parquet"}, None),
    ("logs", "CreateLogStream", False, 8, {"logGroupName": "/aws/lambda/orders", "logStreamName": "2026/11/02/[$LATEST]{x}"}, None),
    ("dynamodb", "DescribeTable", True, 6, {"tableName": "orders"}, None),
    ("ecr", "BatchGetImage", True, 5, {"registryId": ACCOUNT, "repositoryName": "orders", "imageIds": [{"imageTag": "build-{n}"}]}, None),
    ("iam", "GetRolePolicy", True, 3, {"roleName": "deploy", "policyName": "inline-\"{n}\""}, None),
]
ANSWERED = [
    ("ec2", "AuthorizeSecurityGroupIngress", False, 5, {"groupId": "sg-0{x}", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {}, "prefixListIds": {}}]}}, {"requestId": "{u}", "_return": True}),
    ("s3", "PutBucketPolicy", False, 3, {"bucketPolicy": POLICY, "bucketName": "reports-{n}", "Host": "s3.eu-central-1.amazonaws.com", "policy": ""}, None),
    ("cloudtrail", "StopLogging", False, 1, {"name": f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/main"}, None),
    ("s3", "PutBucketAcl", False, 1, {"bucketName": "reports-{n}", "x-amz-acl": "public-read"}, None),
]


class Writer:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.templates = {group: [(self.template(*call), call[3]) for call in calls] for group, calls in (("common", COMMON), ("answered", ANSWERED))}

    def template(self, service, name, reads, _weight, parameters, answer):
        record = {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole", "principalId": "AROA{x}:session-{n}", "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/service-{{k}}/session-{{n}}",
                "accountId": ACCOUNT, "accessKeyId": "ASIA{x}",
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "principalId": "AROA{x}", "arn": f"arn:aws:iam::{ACCOUNT}:role/service-{{k}}", "accountId": ACCOUNT, "userName": "service-{k}"},
                    "attributes": {"creationDate": "2026-11-{d}T{t}Z", "mfaAuthenticated": "false"},
                },
            },
            "eventTime": "2026-11-{d}T{t}Z", "eventSource": f"{service}.amazonaws.com", "eventName": name, "awsRegion": "{r}",
            "sourceIPAddress": "198.51.100.{k}", "userAgent": "aws-sdk-go-v2/1.30.3 ua/2.1 os/linux lang/go#1.24 md/GOOS#linux md/GOARCH#arm64 api/{k}",
            "requestParameters": parameters, "responseElements": answer, "requestID": "{u}", "eventID": "{u}", "readOnly": reads,
            "resources": [{"accountId": ACCOUNT, "type": "AWS::Resource", "ARN": f"arn:aws:{service}:{{r}}:{ACCOUNT}:thing/{{x}}"}],
            "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
            "tlsDetails": {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": f"{service}.{{r}}.amazonaws.com"},
        }
        # The parts between the placeholders, and which each of those is.
        text, parts = json.dumps(record, separators=(",", ":")), []
        while text:
            marks = [(text.index(mark), mark) for mark in ("{x}", "{n}", "{k}", "{d}", "{t}", "{r}", "{u}") if mark in text]
            at, mark = min(marks) if marks else (len(text), "")
            parts.append((text[:at], mark))
            text = text[at + 3:]
        return parts

    def value(self, mark, own):
        if mark not in own:
            digits = "%032x" % self.random.getrandbits(128)
            own[mark] = {
                "{x}": digits[:16], "{n}": str(self.random.randrange(5000)), "{k}": str(self.random.randrange(1, 60)), "{d}": "%02d" % self.random.randrange(1, 29),
                "{t}": "%02d:%02d:%02d" % (self.random.randrange(24), self.random.randrange(60), self.random.randrange(60)),
                "{r}": self.random.choice(REGIONS), "{u}": "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])), "": "",
            }[mark]
        # A request's id is not its event's.
        return own.pop(mark) if mark == "{u}" else own[mark]

    def record(self):
        calls = self.templates["answered" if self.random.randrange(100) == 0 else "common"]
        parts = self.random.choices([call[0] for call in calls], [call[1] for call in calls])[0]
        own = {}
        return "".join(text + self.value(mark, own) for text, mark in parts)


def main():
    folder, files, megabytes = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    size = 0
    for number in range(files):
        writer, records, length = Writer(number), [], 0
        while length < megabytes * 1e6:
            records.append(writer.record())
            length += len(records[-1]) + 1
        day = folder / f"AWSLogs/{ACCOUNT}/CloudTrail/eu-central-1/2026/11/{number % 28 + 1:02}"
        day.mkdir(parents=True, exist_ok=True)
        with gzip.open(day / f"{ACCOUNT}_CloudTrail_eu-central-1_{number:06}.json.gz", "wt", compresslevel=6) as file:
            file.write('{"Records":[' + ",".join(records) + "]}")
        size += length + 13
    print(size)


main()
