//! A security group in a few lines of arithmetic with spans of numbers: which of its rules make a port open to the world, and what
//! it allows. Only what counts as public is the function's own.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::address::Family;
use crate::observation::Observation;
use crate::rule::{Rule, Source};
use crate::settings::{Answer, Settings};

/// The ports that each rule must not open any more, by its id.
pub(crate) type Closed = BTreeMap<String, BTreeSet<String>>;

/// Addresses from, to.
type Span = (u128, u128);

/// An address of one family, as a number.
pub(crate) type Address = (bool, u128);

pub(crate) struct Model {
    pub(crate) closed: Closed,
    /// Whether every source that reaches a guarded port can be read.
    pub(crate) is_readable: bool,
}

impl Model {
    pub(crate) fn new(seen: &Observation, settings: &Settings) -> Self {
        let mut model = Self { closed: Closed::new(), is_readable: true };
        let tcp = settings.guarded_tcp.iter().map(|port| ("tcp", *port));
        for (protocol, port) in tcp.chain(settings.guarded_udp.iter().map(|port| ("udp", *port))) {
            for v6 in [false, true] {
                model.port(seen, settings, protocol, port, v6);
            }
        }
        model
    }

    /// The widest sources go, all of one width together, until the rest is not the world; then the large ones, if they are to.
    fn port(&mut self, seen: &Observation, settings: &Settings, protocol: &str, port: u16, v6: bool) {
        let public = public(v6);
        let total = size(&public);
        let mut sources = Vec::new();
        for rule in seen.rules.iter().filter(|rule| reaches(rule, protocol, port)) {
            match spans(seen, &rule.access.source) {
                Some(spans) => {
                    let own: Vec<Span> =
                        spans.into_iter().filter(|(family, _)| *family == v6).map(|(_, s)| s).collect();
                    let open = common(&union(own.clone()), &public);
                    if !open.is_empty() {
                        sources.push((size(&union(own)), open, rule));
                    }
                }
                None => self.is_readable = false,
            }
        }
        let is_world = |sources: &[(u128, Vec<Span>, &Rule)]| {
            let open = union(sources.iter().flat_map(|(_, open, _)| open.iter().copied()).collect());
            size(&open) as f64 / total as f64 >= settings.world_share
        };
        let mut gone = Vec::new();
        while is_world(&sources) {
            let widest = sources.iter().map(|(width, ..)| *width).max().expect("nothing is not the world");
            let (out, rest): (Vec<_>, Vec<_>) = sources.into_iter().partition(|(width, ..)| *width == widest);
            (gone, sources) = ([gone, out].concat(), rest);
        }
        if settings.large_blocks == Answer::Revoke {
            let least = if v6 { 1 << 112 } else { 1 << 24 };
            gone.extend(
                sources.into_iter().filter(|(width, open, _)| *width >= least && size(open) >= width / 2),
            );
        }
        for (_, _, rule) in gone {
            self.closed.entry(rule.id.clone()).or_default().insert(format!("{protocol}/{port}"));
        }
    }
}

fn public(v6: bool) -> Vec<Span> {
    let family = if v6 { Family::V6 } else { Family::V4 };
    family.public().ranges().map(|span| (*span.start(), *span.end())).collect()
}

/// Spans in their order, none of which touches another.
fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut all: Vec<Span> = Vec::new();
    for (from, to) in spans {
        match all.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

fn common(some: &[Span], others: &[Span]) -> Vec<Span> {
    let pairs = some.iter().flat_map(|a| others.iter().map(move |b| (a.0.max(b.0), a.1.min(b.1))));
    pairs.filter(|(from, to)| from <= to).collect()
}

/// All of IPv6 is one more than fits.
fn size(spans: &[Span]) -> u128 {
    spans.iter().fold(0, |sum: u128, (from, to)| sum.saturating_add((to - from).saturating_add(1)))
}

fn block(text: &str) -> (bool, Span) {
    let (base, length) = text.split_once('/').expect("a block");
    let length: u32 = length.parse().expect("a length");
    let (v6, base, bits) = match base.parse().expect("an address") {
        IpAddr::V4(base) => (false, u128::from(base.to_bits()), 32),
        IpAddr::V6(base) => (true, base.to_bits(), 128),
    };
    let hosts = if length == 0 && v6 { u128::MAX } else { (1 << (bits - length)) - 1 };
    (v6, (base & !hosts, base | hosts))
}

/// The addresses of a source; none if they cannot be read.
fn spans(seen: &Observation, source: &Source) -> Option<Vec<(bool, Span)>> {
    match source {
        Source::Ipv4(text) | Source::Ipv6(text) => Some(vec![block(text)]),
        Source::PrefixList(id) => {
            Some(seen.lists[id].blocks.as_ref()?.iter().map(|text| block(text)).collect())
        }
        Source::Group(_) => Some(Vec::new()),
    }
}

fn reaches(rule: &Rule, protocol: &str, port: u16) -> bool {
    let own = if rule.access.protocol == "6" { "tcp" } else { rule.access.protocol.as_str() };
    let within = || (rule.access.from..=rule.access.to).contains(&Some(i32::from(port)));
    own == "-1" || (own == protocol && (protocol.starts_with("icmp") || within()))
}

/// A rule with the addresses that its source stands for.
pub(crate) struct Read<'a> {
    pub(crate) rule: &'a Rule,
    spans: Vec<(bool, Span)>,
}

/// The rules of a group. A source that cannot be read allows nobody that we know of.
pub(crate) fn read(seen: &Observation) -> Vec<Read<'_>> {
    let read = |rule| Read { rule, spans: spans(seen, &rule.access.source).unwrap_or_default() };
    seen.rules.iter().map(read).collect()
}

impl Read<'_> {
    /// Whether the rule allows it. ICMP is one for each family.
    pub(crate) fn allows(&self, protocol: &str, port: u16, (v6, address): Address) -> bool {
        let named = if v6 { protocol != "icmp" } else { protocol != "icmpv6" };
        let holds = |(family, (from, to)): &(bool, Span)| *family == v6 && (*from..=*to).contains(&address);
        named && reaches(self.rule, protocol, port) && self.spans.iter().any(holds)
    }
}

pub(crate) fn allows(rules: &[Read<'_>], protocol: &str, port: u16, address: Address) -> bool {
    rules.iter().any(|rule| rule.allows(protocol, port, address))
}

pub(crate) fn is_guarded(settings: &Settings, protocol: &str, port: u16) -> bool {
    match protocol {
        "tcp" => settings.guarded_tcp.contains(&port),
        "udp" => settings.guarded_udp.contains(&port),
        _ => false,
    }
}

/// Whether `replace_with` allows an address instead of the world.
pub(crate) fn replaces(settings: &Settings, (v6, address): Address) -> bool {
    settings
        .replace_with
        .iter()
        .map(|text| block(text))
        .any(|(family, (from, to))| family == v6 && (from..=to).contains(&address))
}

/// Where something can begin or end: every protocol, the ports beside the edges of every range, the edges of every block.
pub(crate) fn samples(seen: &Observation, settings: &Settings) -> Vec<(&'static str, u16, Address)> {
    let edges = seen.rules.iter().flat_map(|rule| [rule.access.from, rule.access.to]).flatten();
    let edges = edges.filter_map(|port| u16::try_from(port).ok());
    let guarded = settings.guarded_tcp.iter().chain(&settings.guarded_udp).copied();
    let ports = edges.chain(guarded).flat_map(|port| [port.saturating_sub(1), port, port.saturating_add(1)]);
    let ports: BTreeSet<u16> = ports.chain([0, u16::MAX]).collect();
    let sources = seen.rules.iter().filter_map(|rule| spans(seen, &rule.access.source)).flatten();
    let blocks = sources.chain(settings.replace_with.iter().map(|text| block(text)));
    let addresses: BTreeSet<Address> = blocks
        .flat_map(|(v6, (from, to))| [(v6, from), (v6, to)])
        .chain([(false, 1 << 24), (true, 0x2600 << 112)])
        .collect();
    let mut samples = Vec::new();
    for address in addresses {
        for port in &ports {
            samples.extend([("tcp", *port, address), ("udp", *port, address)]);
        }
        samples.extend(["icmp", "icmpv6", "gre"].map(|protocol| (protocol, 0, address)));
    }
    samples
}
