//! What an account looks like to its administrator, as far as any function changes it: one line of text for each fact, so that
//! two looks can be compared byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use drill::account::Account;
use serde_json::{Value, json};

/// Facts by their names: `<account> <region> <resource>: <what>`.
pub(crate) type Facts = BTreeMap<String, String>;

/// Where to look.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) accounts: BTreeSet<String>,
    pub(crate) regions: BTreeSet<String>,
    /// The scenario's steps: of thousands of resources only those that are named in it are looked at.
    pub(crate) steps: String,
}

struct Look<'a> {
    account: &'a Account,
    owner: &'a str,
    region: &'a str,
    facts: Facts,
}

/// Everything that any function can change.
pub(crate) async fn dump(account: &Account, scene: &Scene) -> Result<Facts> {
    account.settle().await?;
    let mut facts = Facts::new();
    for owner in &scene.accounts {
        let mut global = Look { account, owner, region: &account.region, facts: Facts::new() };
        global.buckets(scene).await?;
        global.identities(scene).await?;
        facts.append(&mut global.facts);
        for region in &scene.regions {
            let mut look = Look { account, owner, region, facts: Facts::new() };
            look.network().await?;
            look.instances().await?;
            look.balancers().await?;
            look.trails().await?;
            facts.append(&mut look.facts);
        }
    }
    Ok(facts)
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// AWS makes a block canonical when it is added; older rules may not be.
fn canonical(rule: &Value) -> String {
    let mut rule = rule.clone();
    if let Some(block) =
        rule.get_mut(4).filter(|block| block.as_str().is_some_and(|text| text.ends_with("/0")))
    {
        *block = json!("0.0.0.0/0");
    }
    rule.to_string()
}

impl Look<'_> {
    /// What a call answers; what does not exist, or is refused, is told by its code.
    async fn ask(&self, call: &str, with: Value, at: &str) -> Value {
        let answer = self.account.call_at(self.owner, self.region, call, with, at).await;
        answer.unwrap_or_else(|error| json!(format!("{:#}", error.root_cause())))
    }

    fn fact(&mut self, name: &str, value: &Value) {
        self.facts.insert(format!("{} {} {name}", self.owner, self.region), word(value));
    }

    async fn buckets(&mut self, scene: &Scene) -> Result<()> {
        let block =
            self.ask("s3control.get_public_access_block", json!({"AccountId": self.owner}), "@").await;
        self.fact("account block", &block);
        let names = list(self.ask("s3.list_buckets", json!({}), "Buckets[].Name").await);
        let many = names.len() > 100;
        for name in names.iter().map(word).filter(|name| !many || scene.steps.contains(name)) {
            let bucket = || json!({"Bucket": name});
            for (what, call, at) in [
                ("policy", "s3.get_bucket_policy", "Policy"),
                ("acl", "s3.get_bucket_acl", "@"),
                ("block", "s3.get_public_access_block", "@"),
                ("tags", "s3.get_bucket_tagging", "TagSet"),
                ("ownership", "s3.get_bucket_ownership_controls", "@"),
            ] {
                let value = self.ask(call, bucket(), at).await;
                self.fact(&format!("bucket {name}: {what}"), &value);
            }
        }
        Ok(())
    }

    async fn identities(&mut self, scene: &Scene) -> Result<()> {
        let users = list(self.ask("iam.list_users", json!({}), "Users[].UserName").await);
        let many = users.len() > 100;
        for user in users.iter().map(word).filter(|user| !many || scene.steps.contains(user)) {
            let keys = "AccessKeyMetadata[].[AccessKeyId, Status, CreateDate]";
            for (what, call, at) in [
                ("keys", "iam.list_access_keys", keys),
                ("policies", "iam.list_attached_user_policies", "AttachedPolicies"),
                ("tags", "iam.list_user_tags", "Tags"),
            ] {
                let value = self.ask(call, json!({"UserName": user}), at).await;
                self.fact(&format!("user {user}: {what}"), &value);
            }
        }
        for role in list(self.ask("iam.list_roles", json!({}), "Roles[].RoleName").await).iter().map(word) {
            let policies = self.ask("iam.list_role_policies", json!({"RoleName": role}), "PolicyNames").await;
            for name in list(policies).iter().map(word) {
                let one = json!({"RoleName": role, "PolicyName": name});
                let text = self.ask("iam.get_role_policy", one, "PolicyDocument").await;
                self.fact(&format!("role {role}: policy {name}"), &text);
            }
        }
        Ok(())
    }

    async fn network(&mut self) -> Result<()> {
        let groups =
            self.ask("ec2.describe_security_groups", json!({}), "SecurityGroups[].[GroupId, Tags]").await;
        for group in list(groups) {
            let id = word(&group[0]);
            self.fact(&format!("group {id}: tags"), &group[1]);
            let mine = json!({"Filters": [{"Name": "group-id", "Values": [id]}]});
            // A rule that is put back has another id.
            let at = "SecurityGroupRules[].[IsEgress, IpProtocol, FromPort, ToPort, CidrIpv4, CidrIpv6, PrefixListId, \
                      ReferencedGroupInfo.GroupId, Description, Tags]";
            let rules = list(self.ask("ec2.describe_security_group_rules", mine, at).await);
            let mut rules: Vec<String> = rules.iter().map(canonical).collect();
            rules.sort();
            self.fact(&format!("group {id}: rules"), &json!(rules));
        }
        Ok(())
    }

    async fn instances(&mut self) -> Result<()> {
        let at = "Reservations[].Instances[].[InstanceId, State.Name, BlockDeviceMappings[].[DeviceName, Ebs.VolumeId, \
                  Ebs.DeleteOnTermination], sort_by(Tags || `[]`, &Key), NetworkInterfaces[].[NetworkInterfaceId, \
                  sort(Groups[].GroupId)]]";
        for found in list(self.ask("ec2.describe_instances", json!({}), at).await) {
            let id = word(&found[0]);
            for (nth, what) in ["state", "volumes", "tags", "interfaces"].into_iter().enumerate() {
                self.fact(&format!("instance {id}: {what}"), &found[nth + 1]);
            }
            let with = json!({"InstanceId": id, "Attribute": "disableApiTermination"});
            let protected =
                self.ask("ec2.describe_instance_attribute", with, "DisableApiTermination.Value").await;
            self.fact(&format!("instance {id}: protected"), &protected);
            let members = "AutoScalingInstances[].[AutoScalingGroupName, LifecycleState]";
            let with = json!({"InstanceIds": [id]});
            let member = self.ask("autoscaling.describe_auto_scaling_instances", with, members).await;
            self.fact(&format!("instance {id}: Auto Scaling"), &member);
        }
        let at = "Snapshots[].[SnapshotId, VolumeId]";
        for snapshot in list(self.ask("ec2.describe_snapshots", json!({"OwnerIds": ["self"]}), at).await) {
            self.fact(&format!("snapshot {}: of", word(&snapshot[0])), &snapshot[1]);
        }
        Ok(())
    }

    async fn balancers(&mut self) -> Result<()> {
        for arn in
            list(self.ask("elbv2.describe_target_groups", json!({}), "TargetGroups[].TargetGroupArn").await)
        {
            let at = "TargetHealthDescriptions[?TargetHealth.State!='draining'].[Target.Id, Target.Port]";
            for target in
                list(self.ask("elbv2.describe_target_health", json!({"TargetGroupArn": arn}), at).await)
            {
                self.fact(&format!("instance {}: target of {}", word(&target[0]), word(&arn)), &target[1]);
            }
        }
        let at = "LoadBalancerDescriptions[].[LoadBalancerName, Instances[].InstanceId]";
        for balancer in list(self.ask("elb.describe_load_balancers", json!({}), at).await) {
            for instance in list(balancer[1].clone()) {
                self.fact(
                    &format!("instance {}: behind {}", word(&instance), word(&balancer[0])),
                    &json!(true),
                );
            }
        }
        Ok(())
    }

    async fn trails(&mut self) -> Result<()> {
        let own = json!({"includeShadowTrails": false});
        for trail in list(self.ask("cloudtrail.describe_trails", own, "trailList").await) {
            let arn = word(&trail["TrailARN"]);
            let insights = json!({"TrailName": arn});
            let settings = self.ask("cloudtrail.get_trail", json!({"Name": arn}), "Trail").await;
            self.fact(&format!("trail {arn}: settings"), &settings);
            for (what, call, with, at) in [
                ("logging", "cloudtrail.get_trail_status", json!({"Name": arn}), "IsLogging"),
                ("selectors", "cloudtrail.get_event_selectors", insights.clone(), "@"),
                ("insights", "cloudtrail.get_insight_selectors", insights, "InsightSelectors"),
                (
                    "tags",
                    "cloudtrail.list_tags",
                    json!({"ResourceIdList": [arn]}),
                    "ResourceTagList[].TagsList",
                ),
            ] {
                let value = self.ask(call, with, at).await;
                self.fact(&format!("trail {arn}: {what}"), &value);
            }
        }
        let stores = self
            .ask("cloudtrail.list_event_data_stores", json!({}), "EventDataStores[].EventDataStoreArn")
            .await;
        for arn in list(stores) {
            let status =
                self.ask("cloudtrail.get_event_data_store", json!({"EventDataStore": arn}), "Status").await;
            self.fact(&format!("store {}: status", word(&arn)), &status);
        }
        Ok(())
    }
}

/// What differs, a sentence each, but for what an undo says that it kept: by the keys of those changes.
pub(crate) fn differences(before: &Facts, after: &Facts, kept: &[String]) -> Vec<String> {
    let keeps = |start: &str| kept.iter().any(|key| key.starts_with(start));
    let excused = |name: &str| {
        let resource = name.splitn(3, ' ').nth(2).unwrap_or_default();
        let is_new = || {
            let whole = name.split(": ").next().unwrap_or_default();
            !before.keys().any(|other| other.starts_with(&format!("{whole}: ")))
        };
        // Auto Scaling replaces a member that leaves; the replacement is an instance of its own.
        (resource.starts_with("instance ") && is_new())
            || (resource.starts_with("group ")
                && is_new()
                && (keeps("create-isolation-group") || keeps("create-untracked-group")))
            || kept.iter().any(|key| {
                key.strip_prefix("empty-isolation-group ")
                    .is_some_and(|id| resource.starts_with(&format!("group {id}:")))
            })
            || (resource.starts_with("snapshot ") && keeps("snapshot"))
            || (resource.starts_with("trail ") && is_new() && keeps("create-trail"))
            || (resource.starts_with("trail ") && resource.ends_with(": logging") && keeps("start-logging"))
            || (resource.starts_with("store ") && keeps("start-ingestion"))
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name) && !excused(name))
        .map(|name| format!("{name}: was {:?}, is {:?}", before.get(name), after.get(name)))
        .collect()
}
