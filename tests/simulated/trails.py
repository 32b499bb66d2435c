"""CloudTrail and KMS: trails, their selectors and what keeps them from delivering.

moto keeps trails by name and region and knows nothing of event data stores, of an organisation's trails or of failed
deliveries. What a scenario has to bring about and no call can, such as a delivery that fails, is a step
`simulate.trails.<name>`.
"""

import json
import uuid

from moto.cloudtrail.exceptions import TrailNotFoundException
from moto.cloudtrail.models import CloudTrailBackend, Trail, TrailStatus, cloudtrail_backends
from moto.cloudtrail.responses import CloudTrailResponse
from moto.core.exceptions import JsonRESTError
from moto.s3.models import s3_backends

# What a new trail records: every management event.
DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}

# Fields of GetTrailStatus by what cannot be delivered.
ERRORS = {
    "bucket": "LatestDeliveryError",
    "digest": "LatestDigestDeliveryError",
    "topic": "LatestNotificationError",
    "log-group": "LatestCloudWatchLogsDeliveryError",
}


def correct():
    trails()
    listing()
    selectors()
    event_data_stores()


class CloudTrailError(JsonRESTError):
    code = 400


def error(code, message):
    return CloudTrailError(f"{code}Exception", message)


def trails():
    def check_bucket_exists(self):
        # A bucket may belong to another account: a log archive.
        if self.bucket_name not in s3_backends.bucket_accounts:
            raise error("S3BucketDoesNotExist", f"S3 bucket {self.bucket_name} does not exist!")

    def topic_arn(self):
        # AWS takes a topic by its name or its ARN; moto makes an ARN of either.
        name = self.sns_topic_name
        return name if not name or name.startswith("arn:") else f"arn:{self.partition}:sns:{self.region_name}:{self.account_id}:{name}"

    Trail.check_bucket_exists = check_bucket_exists
    Trail.topic_arn = property(topic_arn)

    create = CloudTrailBackend.create_trail

    def create_trail(self, name, *rest, **more):
        # moto replaces a trail of the same name.
        if name in self.trails:
            raise error("TrailAlreadyExists", f"Trail {name} already exists for customer: {self.account_id}")
        return create(self, name, *rest, **more)

    CloudTrailBackend.create_trail = create_trail

    update = Trail.update

    def update_settings(self, **settings):
        # An empty text takes a setting away, and what is to be delivered to is checked; moto does neither.
        before = dict(self.__dict__)
        update(self, **settings)
        for field in ("s3_key_prefix", "sns_topic_name", "cw_log_group_arn", "cw_role_arn", "kms_key_id"):
            setattr(self, field, getattr(self, field) or None)
        try:
            self.check_bucket_exists()
            self.check_topic_exists()
        except JsonRESTError:
            self.__dict__.update(before)
            raise

    Trail.update = update_settings

    def home(name):
        original = getattr(CloudTrailBackend, name)

        def call(self, *args, **more):
            # Changes are taken in the home region only. moto does not find the trail elsewhere; for a copy AWS says so.
            named = args[0] if args else more.get("name") or more.get("trail_name")
            if not own(self, named) and any(named in (t.trail_name, t.arn) for t in self.describe_trails(True)):
                raise error("InvalidHomeRegion", f"The trail {named} is not in its home region {self.region_name}.")
            return original(self, *args, **more)

        setattr(CloudTrailBackend, name, call)

    def delete_trail(self, name):
        # moto deletes by name only, and says nothing of a trail that it does not find.
        trail = own(self, name)
        if trail is None:
            raise TrailNotFoundException(account_id=self.account_id, name=name)
        del self.trails[trail.trail_name]

    CloudTrailBackend.delete_trail = delete_trail
    for name in ("start_logging", "stop_logging", "update_trail", "delete_trail", "put_event_selectors", "put_insight_selectors"):
        home(name)

    described = TrailStatus.description

    def description(self):
        return described(self) | getattr(self, "errors", {})

    TrailStatus.description = description


def own(backend, name):
    return next((t for t in backend.trails.values() if name in (t.trail_name, t.arn)), None)


def listing():
    def list_trails(self):
        # ListTrails is about the account, whatever the region that is asked: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListTrails.html
        regions = cloudtrail_backends[self.account_id].values()
        return [t for backend in regions for t in backend.trails.values()] + shared(self.account_id)

    def describe_trails(self, include_shadow_trails):
        return list(describe(self, include_shadow_trails)) + (shared(self.account_id) if include_shadow_trails else [])

    describe = CloudTrailBackend.describe_trails
    CloudTrailBackend.describe_trails = describe_trails
    CloudTrailBackend.list_trails = list_trails


def shared(account):
    """The organisation's trails that a member account sees."""
    found = []
    for owner, regions in list(cloudtrail_backends.items()):
        for backend in list(regions.values()):
            found += [t for t in backend.trails.values() if account != owner and account in getattr(t, "members", ())]
    return found


def selectors():
    def put(self, event_selectors, advanced_event_selectors):
        # Each of the two replaces whatever was there.
        self.event_selectors = event_selectors or []
        self.advanced_event_selectors = [] if event_selectors else advanced_event_selectors or []

    def get(self):
        # A trail whose selectors nobody has put has the default one.
        basic = self.event_selectors or ([] if self.advanced_event_selectors else [DEFAULT_SELECTOR])
        return basic, self.advanced_event_selectors

    def put_insights(self, insight_selectors):
        # moto adds to what is there.
        self.insight_selectors = insight_selectors

    def get_insights(self):
        if not self.insight_selectors:
            raise error("InsightNotEnabled", f"Trail {self.arn} does not have Insights enabled.")
        return self.insight_selectors

    Trail.put_event_selectors = put
    Trail.get_event_selectors = get
    Trail.put_insight_selectors = put_insights
    Trail.get_insight_selectors = get_insights


def event_data_stores():
    """moto has none. Those of a region are kept at its backend, by ARN."""

    def stores(self):
        return self.cloudtrail_backend.__dict__.setdefault("stores", {})

    def find(self):
        named = json.loads(self.body)["EventDataStore"]
        found = next((s for arn, s in stores(self).items() if named in (arn, arn.rsplit("/", 1)[1])), None)
        if found is None:
            raise error("EventDataStoreNotFound", f"The event data store {named} does not exist.")
        return found

    def create(self):
        sent = json.loads(self.body)
        backend = self.cloudtrail_backend
        arn = f"arn:aws:cloudtrail:{backend.region_name}:{backend.account_id}:eventdatastore/{uuid.uuid4()}"
        stores(self)[arn] = {"EventDataStoreArn": arn, "Name": sent["Name"], "Status": "ENABLED"}
        return json.dumps(stores(self)[arn])

    def listed(self):
        names = [{key: s[key] for key in ("EventDataStoreArn", "Name")} for s in stores(self).values()]
        return json.dumps({"EventDataStores": names})

    def enter(self, before, after):
        store = find(self)
        if store["Status"] != before:
            raise error("InvalidEventDataStoreStatus", f"The event data store is {store['Status']}.")
        store["Status"] = after
        return json.dumps({})

    CloudTrailResponse.create_event_data_store = create
    CloudTrailResponse.list_event_data_stores = listed
    CloudTrailResponse.get_event_data_store = lambda self: json.dumps(find(self))
    CloudTrailResponse.stop_event_data_store_ingestion = lambda self: enter(self, "ENABLED", "STOPPED_INGESTION")
    CloudTrailResponse.start_event_data_store_ingestion = lambda self: enter(self, "STOPPED_INGESTION", "ENABLED")


def fail_delivery(account, region, trail, code, to="bucket"):
    """Deliveries of a trail fail with a service's error code, as its status shows after the next try."""
    status = own(cloudtrail_backends[account][region], trail).status
    status.errors = getattr(status, "errors", {}) | {ERRORS[to]: code}
    return {}


def organisation(account, region, trail, members):
    """A trail becomes the organisation's: every member account sees it, and cannot change it."""
    found = own(cloudtrail_backends[account][region], trail)
    found.is_org_trail, found.members = True, members
    return {}


def needs(place, action, sent):
    """The resources that a request to CloudTrail needs its action on.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_cloudtrail.html
    """
    named = sent.get("ResourceIdList") or [
        sent.get(key) for key in ("Name", "TrailName", "ResourceId", "EventDataStore") if sent.get(key)
    ]
    if action == "cloudtrail:CreateEventDataStore":
        named = []
    kind = "eventdatastore" if "EventDataStore" in sent else "trail"
    arns = [name if name.startswith("arn:") else place.arn("cloudtrail", f"{kind}/{name}") for name in named]
    for arn in arns or ["*"]:
        yield place.need(action, arn)
    # A trail is created with its tags as by AddTags, and whoever names a role for it must be allowed to pass it on.
    if action == "cloudtrail:CreateTrail" and sent.get("TagsList"):
        yield place.need("cloudtrail:AddTags", arns[0])
    if sent.get("CloudWatchLogsRoleArn"):
        yield place.need("iam:PassRole", sent["CloudWatchLogsRoleArn"], iam__passedtoservice="cloudtrail.amazonaws.com")
