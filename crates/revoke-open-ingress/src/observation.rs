//! What AWS says about a security group now.

use std::collections::BTreeMap;

use crate::address::{Family, Set, block, family, range, union};
use crate::rule::{Access, Rule, Source};

/// A security group as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// The account that owns it; services own groups too.
    pub owner: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its inbound rules. Outbound ones are nobody's business here.
    pub rules: Vec<Rule>,
    /// The prefix lists that its rules and the settings name, by id.
    pub lists: BTreeMap<String, PrefixList>,
}

/// A prefix list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrefixList {
    /// Its name.
    pub name: String,
    /// The account that owns it, or `AWS`.
    pub owner: String,
    /// For how many rules a rule with this list counts; AWS does not tell it of its own lists.
    pub max_entries: Option<u32>,
    /// `IPv4` or `IPv6`.
    pub address_family: String,
    /// Its blocks; none if they could not be read.
    pub blocks: Option<Vec<String>>,
    /// The call that could not be made and AWS's code, if they could not be read.
    pub problem: String,
}

impl tourniquet::Observation for Observation {
    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}

impl Observation {
    /// The addresses of one family that a source stands for; an error if they are not known. Another group is no address:
    /// its members are not the world, whatever their addresses are.
    pub(crate) fn addresses(&self, source: &Source, of: Family) -> Result<Set, Unread> {
        let read = |text: &String| {
            let net = block(text).ok_or_else(|| Unread(format!("the source {text:?}")))?;
            Ok(if family(&net) == of { Set::from_iter([range(net)]) } else { Set::new() })
        };
        match source {
            Source::Ipv4(text) | Source::Ipv6(text) => read(text),
            Source::PrefixList(id) => {
                let list = self.lists.get(id);
                let unread = || {
                    let problem = list.map_or("not visible in this account", |list| list.problem.as_str());
                    Unread(format!("the prefix list {id} ({problem})"))
                };
                let blocks = list.and_then(|list| list.blocks.as_ref()).ok_or_else(unread)?;
                blocks.iter().try_fold(Set::new(), |all, text| Ok(union(&all, &read(text)?)))
            }
            Source::Group(_) => Ok(Set::new()),
        }
    }

    /// A source for people: of a list its name and owner too.
    pub(crate) fn named(&self, source: &Source) -> String {
        let text = source.text();
        match self.lists.get(text) {
            Some(list) => format!("{text} {:?} of {}", list.name, list.owner),
            None => text.to_owned(),
        }
    }

    /// For how many IPv4 and how many IPv6 rules a rule counts. A list counts as the most entries that it may have.
    /// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups>
    pub(crate) fn weight(&self, access: &Access) -> (u32, u32) {
        match &access.source {
            Source::Ipv4(_) => (1, 0),
            Source::Ipv6(_) => (0, 1),
            Source::Group(_) => (1, 1),
            Source::PrefixList(id) => match self.lists.get(id) {
                Some(list) => {
                    let known = list.blocks.as_ref().and_then(|blocks| u32::try_from(blocks.len()).ok());
                    let entries = list.max_entries.or(known).unwrap_or(1);
                    if list.address_family.eq_ignore_ascii_case("IPv6") { (0, entries) } else { (entries, 0) }
                }
                None => (1, 1),
            },
        }
    }
}

/// What could not be read, so that nothing can be said of it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Unread(pub(crate) String);
