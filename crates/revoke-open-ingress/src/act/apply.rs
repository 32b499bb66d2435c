//! Making one change, each with a call of its own: one that fails does not take others with it. Made twice, it changes
//! nothing.

use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, Tag, TagSpecification, UserIdGroupPair,
};
use tourniquet::error::{Class, Error, aws};

use super::Clients;
use crate::change::Change;
use crate::rule::{Draft, Source};

/// Makes one change of a group.
pub(crate) async fn apply(clients: &Clients, group: &str, change: &Change) -> Result<(), Error> {
    match change {
        Change::Add { rule, .. } => authorize(clients, group, rule).await.map(|_| ()),
        Change::Revoke { rule, .. } => revoke(clients, group, &rule.id).await,
    }
}

/// Adds a rule; false if it is there already.
pub(super) async fn authorize(clients: &Clients, group: &str, rule: &Draft) -> Result<bool, Error> {
    let answer = clients
        .ec2
        .authorize_security_group_ingress()
        .group_id(group)
        .ip_permissions(permission(rule))
        .set_tag_specifications(tags(rule).map(|tags| vec![tags]))
        .send()
        .await
        .map_err(|e| aws("ec2:AuthorizeSecurityGroupIngress", e));
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("InvalidPermission.Duplicate") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes a rule out by its id; one that is not there is as good. What AWS answers is not what counts: a default VPC
/// answers 200 to a rule that it does not know and takes nothing out. The next look tells.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html>
pub(super) async fn revoke(clients: &Clients, group: &str, rule: &str) -> Result<(), Error> {
    let answer = clients
        .ec2
        .revoke_security_group_ingress()
        .group_id(group)
        .security_group_rule_ids(rule)
        .send()
        .await
        .map_err(|e| aws("ec2:RevokeSecurityGroupIngress", e));
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.class() == Some(Class::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

fn permission(rule: &Draft) -> IpPermission {
    let access = &rule.access;
    let text = rule.description.clone();
    let base = IpPermission::builder()
        .ip_protocol(&access.protocol)
        .set_from_port(access.from)
        .set_to_port(access.to);
    match &access.source {
        Source::Ipv4(cidr) => base.ip_ranges(IpRange::builder().cidr_ip(cidr).set_description(text).build()),
        Source::Ipv6(cidr) => {
            base.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).set_description(text).build())
        }
        Source::PrefixList(id) => {
            base.prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(text).build())
        }
        Source::Group(id) => {
            base.user_id_group_pairs(UserIdGroupPair::builder().group_id(id).set_description(text).build())
        }
    }
    .build()
}

/// The tags of a rule, but for those of AWS's own, which nobody else can set.
fn tags(rule: &Draft) -> Option<TagSpecification> {
    let own = rule.tags.iter().filter(|(key, _)| !key.starts_with("aws:"));
    let tags: Vec<Tag> = own.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let base = TagSpecification::builder().resource_type(ResourceType::SecurityGroupRule);
    (!tags.is_empty()).then(|| base.set_tags(Some(tags)).build())
}
