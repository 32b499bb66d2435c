"""IAM: users, access keys and the credential report, and what no API call can bring about: age, use, quarantine."""

from datetime import datetime, timedelta, timezone

from moto.core.responses import ActionResult
from moto.iam.models import AccessKeyLastUsed, AWSManagedPolicy, IAMBackend, iam_backends
from moto.iam.responses import IamResponse

ROOT = "<root_account>"
COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)


def correct():
    pages()
    report()
    last_use()


def pages():
    """AWS answers ListUsers in pages of at most 1,000, by default 100; moto in one.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html"""

    def list_users(self):
        users = list(self.backend.list_users(self._get_param("PathPrefix"), None, None))
        start, size = int(self._get_param("Marker") or 0), int(self._get_param("MaxItems") or 100)
        page = {"Users": users[start : start + size], "IsTruncated": start + size < len(users)}
        if page["IsTruncated"]:
            page["Marker"] = str(start + size)
        return ActionResult(page)

    IamResponse.list_users = list_users


def report():
    """AWS makes a report in the background and keeps it for four hours; it begins with the root user and says where and
    for what a key was used. moto's is always of now, without these.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html"""
    IAMBackend.report_generated = lambda self: "report_text" in self.__dict__
    IAMBackend.generate_report = lambda self: self.__dict__.setdefault("report_text", written(self))
    original = IAMBackend.get_credential_report

    def get(self):
        return self.__dict__["report_text"] if "report_text" in self.__dict__ else original(self)

    IAMBackend.get_credential_report = get


def written(backend):
    root = [ROOT, f"arn:aws:iam::{backend.account_id}:root", "2015-01-01T00:00:00+00:00", "not_supported"]
    root += ["no_information", "not_supported", "not_supported", "true"]
    lines = [COLUMNS, line(root, backend.__dict__.get("root_keys", []))]
    for user in backend.users.values():
        password = ["true", "no_information", stamp(user.create_date)] if user.password else ["false", "N/A", "N/A"]
        start = [user.name, user.arn, stamp(user.create_date), *password, "N/A", "true" if user.mfa_devices else "false"]
        lines.append(line(start, user.access_keys))
    return "\n".join(lines) + "\n"


def line(start, keys):
    fields = list(start)
    for key in (list(keys) + [None, None])[:2]:
        used = key.last_used if key else None
        fields += ["true" if key and key.status == "Active" else "false", stamp(key.create_date) if key else "N/A"]
        fields += [stamp(used.timestamp), used.region, used.service] if used else ["N/A", "N/A", "N/A"]
    return ",".join(fields + ["false", "N/A", "false", "N/A"])


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def last_use():
    """moto looks through all keys of all accounts for one; with thousands of users that is most of the time of a test."""

    def get(self, access_key_id):
        for account in iam_backends.values():
            key = account[self.partition].access_keys.get(access_key_id)
            if key is not None:
                return {"user_name": key.user_name, "last_used": key.last_used}
        return original(self, access_key_id)

    original = IAMBackend.get_access_key_last_used
    IAMBackend.get_access_key_last_used = get


def backend_of(account):
    return iam_backends[account]["aws"]


def ago(days):
    """So many times 24 hours before now, without parts of a second, as IAM keeps it."""
    return datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0) - timedelta(days=days)


def key(account, region, user, days, used=None, service="s3", used_in="eu-central-1", status="Active", last_four=None):
    """An access key of a user, as old as `days`, last used `used` days ago. Answers with what the function calls it."""
    backend = backend_of(account)
    made = backend.create_access_key(user)
    if last_four:
        del backend.access_keys[made.access_key_id]
        made.access_key_id = made.access_key_id[:-4] + last_four
        backend.access_keys[made.access_key_id] = made
    made.create_date = ago(days)
    made.status = status
    if used is not None:
        made.last_used = AccessKeyLastUsed(timestamp=ago(used), service=service, region=used_in)
    created = made.create_date.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": made.access_key_id, "last_four": made.access_key_id[-4:], "created": created, "name": f"…{made.access_key_id[-4:]} of {created}"}


def root_key(account, region, days, used=None, service="iam", used_in="us-east-1"):
    """An access key of the root user, which only the root user itself can make."""
    backend = backend_of(account)
    backend.create_user("aws", "drill-root")
    key(account, region, "drill-root", days, used, service, used_in)
    backend.__dict__.setdefault("root_keys", []).extend(backend.users.pop("drill-root").access_keys)
    backend.account_summary._account_access_keys_present = 1
    return {}


def quarantine(account, region, user, policy="AWSCompromisedKeyQuarantineV3"):
    """AWS has found a key of the user in public and attached its policy."""
    own = AWSManagedPolicy(policy, account_id=account, region="aws", path="/", document='{"Version": "2012-10-17", "Statement": []}')
    own.attach_to(backend_of(account).get_user(user))
    return {}


def report_now(account, region):
    """Somebody asked for the credential report, which stays as it is for four hours."""
    backend_of(account).generate_report()
    return {}


def users(account, region, count, keys=2, old=0, days=400, young=10, prefix="user"):
    """So many users with so many keys each, without a call for each: the first `old` have one key as old as `days`."""
    backend = backend_of(account)
    for number in range(count):
        name = f"{prefix}-{number:05}"
        backend.create_user("aws", name)
        for nth in range(keys):
            key(account, region, name, days if nth == 0 and number < old else young, used=1)
    return {"count": count}


def before(account, region, days):
    """A moment in the past, for records that an earlier run has left."""
    return {"at": ago(days).strftime("%Y-%m-%dT%H:%M:%SZ")}
