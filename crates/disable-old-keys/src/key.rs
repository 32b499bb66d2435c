//! How an access key is called: by its last four characters and its creation date, which together name one of a user's
//! keys. The whole id is half of a credential and leads to the account; it stays inside `act`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of an access key within its user.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct KeyName {
    /// When it was created, to the second.
    pub created: Timestamp,
    /// The end of its id.
    pub last_four: String,
}

impl KeyName {
    /// The name of the key with this id.
    #[must_use]
    pub fn of(id: &str, created: Timestamp) -> Self {
        Self { created, last_four: last_four(id) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{} of {}", self.last_four, self.created)
    }
}

fn last_four(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(4);
    id.chars().skip(skip).collect()
}

/// IAM's ids have at least 16 signs, capital letters and digits.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyMetadata.html>
const ID: usize = 16;

/// A text, such as AWS's words about a failed call, in which each id is its last four characters.
#[must_use]
pub(crate) fn without_ids(text: &str) -> String {
    let is_id = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_id) {
        let (before, from) = rest.split_at(start);
        let (word, behind) = from.split_at(from.find(|c| !is_id(c)).unwrap_or(from.len()));
        out.push_str(before);
        if word.len() < ID {
            out.push_str(word);
        } else {
            out.push('…');
            out.push_str(&last_four(word));
        }
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_its_last_four_characters_and_its_date() {
        let created = "2024-01-31T10:00:00Z".parse().unwrap();
        assert_eq!(KeyName::of("AKIAIOSFODNN7EXAMPLE", created).to_string(), "…MPLE of 2024-01-31T10:00:00Z");
        assert_eq!(KeyName::of("é", created).last_four, "é");
    }

    #[test]
    fn g17_words_of_aws_lose_the_ids_and_keep_the_rest() {
        assert_eq!(
            without_ids("The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found (in 111122223333)."),
            "The Access Key with id …MPLE cannot be found (in 111122223333)."
        );
    }

    proptest! {
        #[test]
        fn g17_no_id_survives_in_any_text(before in ".{0,20}", id in "(AKIA|ASIA)[A-Z2-7]{16}", after in "[^A-Z0-9].{0,20}|") {
            let scrubbed = without_ids(&format!("{before}{id}{after}"));
            prop_assert!(!scrubbed.contains(&id));
        }

        #[test]
        fn texts_without_ids_stay(text in "[a-z .:/-]{0,40}[A-Z0-9]{0,15}") {
            prop_assert_eq!(without_ids(&text), text);
        }
    }
}
