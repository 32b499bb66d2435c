//! Sets of addresses, and which share of the public internet they are.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use ipnet::IpNet;
use range_set_blaze::{RangeSetBlaze, SortedDisjoint, UIntPlusOne};

/// Addresses of one family, as numbers.
pub(crate) type Set = RangeSetBlaze<u128>;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Both.
pub(crate) const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// What is not public in IPv4: IANA's special-purpose registry, multicast and the former class E.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/>
const SPECIAL_V4: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// What is public in IPv6: the blocks that IANA has allocated to the regional registries. All of `2000::/3` would be no
/// measure: whoever opens a port to the dozen blocks in use opens it to everybody, and to two percent of `2000::/3`.
/// A block that IANA adds later does not count until it is added here; `::/0` and `2000::/3` are the whole in any case.
/// <https://www.iana.org/assignments/ipv6-unicast-address-assignments/>
const ALLOCATED_V6: [&str; 12] = [
    "2001::/16",
    "2003::/18",
    "2400::/12",
    "2410::/12",
    "2600::/12",
    "2610::/23",
    "2620::/23",
    "2630::/12",
    "2800::/12",
    "2a00::/12",
    "2a10::/12",
    "2c00::/12",
];

/// What is special inside of it.
/// <https://www.iana.org/assignments/iana-ipv6-special-registry/>
const SPECIAL_V6: [&str; 2] = ["2001::/23", "2001:db8::/32"];

static PUBLIC_V4: LazyLock<Set> =
    LazyLock::new(|| Set::from_iter([0..=u128::from(u32::MAX)]) - set(&SPECIAL_V4));
static PUBLIC_V6: LazyLock<Set> = LazyLock::new(|| set(&ALLOCATED_V6) - set(&SPECIAL_V6));

fn set(blocks: &[&str]) -> Set {
    blocks.iter().filter_map(|text| Some(range(block(text)?))).collect()
}

impl Family {
    /// The public addresses.
    pub(crate) fn public(self) -> &'static Set {
        match self {
            Self::V4 => &PUBLIC_V4,
            Self::V6 => &PUBLIC_V6,
        }
    }

    /// The share of the public addresses that a set of public addresses is, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub(crate) fn share(self, public: &Set) -> f64 {
        size(public) as f64 / size(self.public()) as f64
    }

    /// The size of a block that is reported although it is not the world: a /8 in IPv4, a /16 in IPv6.
    pub(crate) fn large(self) -> u128 {
        match self {
            Self::V4 => 1 << 24,
            Self::V6 => 1 << 112,
        }
    }

    /// Bits of an address.
    pub(crate) fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// For people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Both together. The library's own `|` counts what is in both twice before it takes it off again, and panics where that is more
/// than all of IPv6.
pub(crate) fn union(one: &Set, other: &Set) -> Set {
    (one.ranges() | other.ranges()).into_range_set_blaze()
}

/// How many addresses; all of IPv6 is one more than fits, and stays below.
pub(crate) fn size(set: &Set) -> u128 {
    match set.len() {
        UIntPlusOne::UInt(n) => n,
        UIntPlusOne::MaxPlusOne => u128::MAX,
    }
}

/// Reads a block in any spelling: with host bits set, IPv6 in full, a lone address.
pub(crate) fn block(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse().ok().or_else(|| text.parse().ok().map(|address: std::net::IpAddr| address.into()))
}

/// The family of a block.
pub(crate) fn family(block: &IpNet) -> Family {
    match block {
        IpNet::V4(_) => Family::V4,
        IpNet::V6(_) => Family::V6,
    }
}

/// The addresses of a block: the host bits do not count.
pub(crate) fn range(block: IpNet) -> RangeInclusive<u128> {
    match block {
        IpNet::V4(net) => u128::from(u32::from(net.network()))..=u128::from(u32::from(net.broadcast())),
        IpNet::V6(net) => u128::from(net.network())..=u128::from(net.broadcast()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(family: Family, blocks: &[&str]) -> f64 {
        family.share(&(set(blocks) & family.public()))
    }

    #[test]
    fn r3_a_prefix_length_of_nought_is_the_world_whatever_the_address() {
        for text in ["0.0.0.0/0", "203.0.113.254/0", "10.1.2.3/0"] {
            assert!((share(Family::V4, &[text]) - 1.0).abs() < 1e-12, "{text}");
        }
        for text in ["::/0", "0:0:0:0:0:0:0:0/0", "2001:db8::1/0", "0000:0000::/0", "::/1", "2000::/3"] {
            assert!((share(Family::V6, &[text]) - 1.0).abs() < 1e-12, "{text}");
        }
        for text in ["0.0.0.0/16", "0.0.0.0/32"] {
            assert!(share(Family::V4, &[text]) < 1e-12, "{text}");
        }
    }

    #[test]
    fn r4_shares_are_those_of_public_addresses() {
        for (blocks, least, most) in [
            (["0.0.0.0/1"].as_slice(), 0.56, 0.57),
            (&["128.0.0.0/1"], 0.43, 0.44),
            (&["0.0.0.0/1", "128.0.0.0/1"], 1.0, 1.0),
            (&["64.0.0.0/2"], 0.28, 0.29),
            (&["17.0.0.0/8"], 0.004, 0.005),
            (&["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"], 0.0, 0.0),
        ] {
            let seen = share(Family::V4, blocks);
            assert!((least..=most).contains(&seen), "{blocks:?}: {seen}");
        }
        assert!(share(Family::V6, &["2600::/12", "2400::/12", "2a00::/12"]) > 0.1);
        assert!(share(Family::V6, &["fc00::/7", "fe80::/10", "2001:db8::/32", "8000::/1"]) < 1e-12);
    }

    #[test]
    fn every_block_of_the_tables_can_be_read() {
        for text in SPECIAL_V4.iter().chain(&ALLOCATED_V6).chain(&SPECIAL_V6) {
            assert!(block(text).is_some(), "{text}");
        }
        assert_eq!(block("203.0.113.7").map(range), block("203.0.113.7/32").map(range));
        assert_eq!([block("any"), block("1.2.3/8"), block("")], [None; 3]);
    }
}
