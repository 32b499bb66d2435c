//! Keeps the records that a trigger could match, by texts that such a record must hold, so that only those are parsed.
//!
//! The texts are read from the triggers. A trigger asks for one of a few texts in each of its fields; of the field that tells
//! most, each record that matches holds one, whether it is in the envelope of `EventBridge` or bare. A trigger that asks for
//! nothing of the kind switches the sieve off, and everything is parsed.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;
use aho_corasick::packed::Searcher;
use memchr::memchr_iter;
use serde_json::Value;

/// The sieve.
#[derive(Debug)]
pub struct Sieve {
    /// None if there is a trigger that could match anything.
    search: Option<Search>,
}

/// Several times faster by vectors, on machines that have them.
#[derive(Debug)]
enum Needles {
    Vectors(Searcher),
    Automaton(AhoCorasick),
}

#[derive(Debug)]
struct Search {
    needles: Needles,
    /// The bytes of which the texts are made.
    letters: BTreeSet<usize>,
}

impl Sieve {
    /// The sieve for triggers, given as JSON; `None` for a text that is none.
    #[must_use]
    pub fn new<'a>(triggers: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut texts = Vec::new();
        for trigger in triggers {
            let pattern: Value = serde_json::from_str(trigger).ok()?;
            match necessary(&pattern) {
                Some(own) => texts.extend(own),
                None => return Some(Self { search: None }),
            }
        }
        texts.sort();
        texts.dedup();
        let letters = texts.iter().flat_map(|text| text.bytes()).map(usize::from).collect();
        let needles = match Searcher::new(&texts) {
            Some(searcher) => Needles::Vectors(searcher),
            None => Needles::Automaton(AhoCorasick::new(&texts).ok()?),
        };
        Some(Self { search: Some(Search { needles, letters }) })
    }

    /// Whether a trigger could match the record.
    #[must_use]
    pub fn keeps(&self, record: &[u8]) -> bool {
        let Some(search) = &self.search else { return true };
        search.needles.are_in(record)
            || memchr_iter(b'\\', record).any(|at| search.hides(record.get(at..).unwrap_or_default()))
    }
}

impl Needles {
    fn are_in(&self, record: &[u8]) -> bool {
        match self {
            Self::Vectors(searcher) => searcher.find(record).is_some(),
            Self::Automaton(automaton) => automaton.is_match(record),
        }
    }
}

impl Search {
    /// Whether an escape stands for a letter of one of the texts: JSON can spell each of them in another way.
    fn hides(&self, escape: &[u8]) -> bool {
        let letter = match escape {
            [_, b'/', ..] => Some(usize::from(b'/')),
            [_, b'u', b'0', b'0', high, low, ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|n| usize::try_from(n).ok());
                digit(high).zip(digit(low)).map(|(high, low)| 16 * high + low)
            }
            _ => None,
        };
        letter.is_some_and(|letter| self.letters.contains(&letter))
    }
}

/// Texts, as they stand in a record, of which each record that the pattern matches holds one.
///
/// Only below `detail`, which bare records have too. The name of a call is rarer than all else that one says.
fn necessary(pattern: &Value) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    leaves("", pattern.get("detail")?, &mut fields);
    let tells = |(name, texts): &(&str, Vec<String>)| {
        (*name == "eventName", texts.iter().map(String::len).min().unwrap_or_default())
    };
    fields.into_iter().max_by_key(tells).map(|(_, texts)| texts)
}

/// The fields that can only match if one of a few texts is there.
fn leaves<'a>(name: &'a str, pattern: &'a Value, fields: &mut Vec<(&'a str, Vec<String>)>) {
    match pattern {
        // Only one of its alternatives has to match.
        _ if name == "$or" => {}
        Value::Object(below) => below.iter().for_each(|(name, pattern)| leaves(name, pattern, fields)),
        Value::Array(values) => {
            let texts: Option<Vec<String>> = values.iter().map(text).collect();
            fields.extend(texts.filter(|texts| !texts.is_empty()).map(|texts| (name, texts)));
        }
        _ => {}
    }
}

/// How a value that matches begins in JSON, if it is a text that JSON spells in one way but for escapes that are known.
fn text(matcher: &Value) -> Option<String> {
    let (begin, end) = match matcher {
        Value::String(text) => (text, "\""),
        Value::Object(operator) if operator.len() == 1 => match operator.get("prefix") {
            Some(Value::String(prefix)) => (prefix, ""),
            _ => return None,
        },
        _ => return None,
    };
    let plain = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    (begin.len() > 2 && begin.chars().all(plain)).then(|| format!("\"{begin}{end}"))
}

#[cfg(test)]
#[path = "sieve_tests.rs"]
mod tests;
