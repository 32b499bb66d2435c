"""IAM: users with two access keys each. The planted keys are two years old, each of another user, whom AWS has put under quarantine, so that there is no grace to
wait for."""

import base64
from datetime import datetime, timedelta, timezone

from fake import ACCOUNT, spread
from fake.server import Refused
from fake.sns import Topics

COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)


def stamp(days):
    return (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S+00:00")


class Keys(Topics):
    SERVICE = "iam"

    def __init__(self, count, planted):
        users = max(1, count // 2)
        self.old, self.young, self.used = stamp(730), stamp(20), stamp(1)
        self.users = [f"user-{number:05}" for number in range(users)]
        self.harmful = {self.key(number, 0) for number in spread(users, planted)}
        self.inactive = set()
        self.report = self.written()

    @staticmethod
    def key(number, which):
        return f"AKIA{number:012}{which:04}"

    def seen(self):
        return {"contained": sorted(self.inactive), "right": self.inactive == self.harmful, "lost": sorted(self.inactive - self.harmful)}

    def since(self, key):
        return self.old if key in self.harmful else self.young

    def written(self):
        root = f"<root_account>,arn:aws:iam::{ACCOUNT}:root,2015-01-01T00:00:00+00:00,not_supported,no_information,not_supported"
        lines = [COLUMNS, root + ",not_supported,true" + ",false,N/A,N/A,N/A,N/A" * 2 + ",false,N/A,false,N/A"]
        for number, user in enumerate(self.users):
            keys = (self.key(number, 0), self.key(number, 1))
            used = "".join(f",true,{self.since(key)},{self.used},us-east-1,s3" for key in keys)
            start = f"{user},arn:aws:iam::{ACCOUNT}:user/{user},2016-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false"
            lines.append(f"{start}{used},false,N/A,false,N/A")
        return base64.b64encode("\n".join(lines).encode()).decode()

    def user(self, name):
        return (
            f"<Path>/</Path><UserName>{name}</UserName><UserId>AIDA{name}</UserId><Arn>arn:aws:iam::{ACCOUNT}:user/{name}</Arn>"
            "<CreateDate>2016-01-01T00:00:00Z</CreateDate>"
        )

    def answer(self, call):
        action, name = self.name(call), call.form.get("UserName", "")
        number = int(name[5:]) if name.startswith("user-") else 0
        keys = (self.key(number, 0), self.key(number, 1))
        match action:
            case "GenerateCredentialReport":
                inside = "<State>COMPLETE</State>"
            case "GetCredentialReport":
                inside = f"<Content>{self.report}</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>{stamp(0)}</GeneratedTime>"
            case "GetAccountSummary":
                inside = "<SummaryMap><entry><key>AccountAccessKeysPresent</key><value>0</value></entry></SummaryMap>"
            case "ListUsers":
                start, size = int(call.form.get("Marker", 0)), int(call.form.get("MaxItems", 100))
                page = "".join(f"<member>{self.user(one)}</member>" for one in self.users[start : start + size])
                more = start + size < len(self.users)
                inside = f"<Users>{page}</Users><IsTruncated>{str(more).lower()}</IsTruncated>"
                inside += f"<Marker>{start + size}</Marker>" if more else ""
            case "GetUser":
                inside = f"<User>{self.user(name)}</User>"
            case "ListAccessKeys":
                inside = f"<AccessKeyMetadata>{''.join(self.listed(name, key) for key in keys)}</AccessKeyMetadata>"
            case "ListAttachedUserPolicies":
                policy = "AWSCompromisedKeyQuarantineV3"
                member = f"<member><PolicyName>{policy}</PolicyName><PolicyArn>arn:aws:iam::aws:policy/{policy}</PolicyArn></member>"
                inside = f"<AttachedPolicies>{member if keys[0] in self.harmful else ''}</AttachedPolicies>"
            case "GetAccessKeyLastUsed":
                last = f"<LastUsedDate>{self.used}</LastUsedDate><ServiceName>s3</ServiceName><Region>us-east-1</Region>"
                inside = f"<UserName>u</UserName><AccessKeyLastUsed>{last}</AccessKeyLastUsed>"
            case "UpdateAccessKey":
                if call.form["Status"] == "Inactive":
                    self.inactive.add(call.form["AccessKeyId"])
                inside = ""
            case _:
                raise Refused(400, "NotSimulated")
        return f'<{action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{action}Result>{inside}</{action}Result></{action}Response>'

    def listed(self, user, key):
        status = "Inactive" if key in self.inactive else "Active"
        created = self.since(key)
        return f"<member><UserName>{user}</UserName><AccessKeyId>{key}</AccessKeyId><Status>{status}</Status><CreateDate>{created}</CreateDate></member>"
