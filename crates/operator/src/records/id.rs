//! The ids of records, as messages and logs name them.

use std::fmt;
use std::str::FromStr;

use tourniquet::Place;
use tourniquet::journal::Record;
use tourniquet::place::{is_account, is_region};

/// `<function>/<account>/<region>/<subject>/<cause>-<attempt>`, read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Id {
    /// The function.
    pub function: String,
    /// Where the subject lives.
    pub place: Place,
    /// The subject's id, which may hold slashes.
    pub subject: String,
    /// Cause and attempt.
    pub answer: String,
}

impl Id {
    /// The partition of everything about the subject.
    #[must_use]
    pub fn partition(&self) -> String {
        Record::partition(&self.function, &self.place, &self.subject)
    }
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = || {
            let (function, rest) = text.split_once('/')?;
            let (account, rest) = rest.split_once('/')?;
            let (region, rest) = rest.split_once('/')?;
            let (subject, answer) = rest.rsplit_once('/')?;
            let (cause, attempt) = answer.split_once('-')?;
            let well = is_account(account)
                && is_region(region)
                && !subject.is_empty()
                && cause.bytes().all(|b| b.is_ascii_hexdigit())
                && attempt.parse::<u32>().is_ok();
            well.then(|| Self {
                function: function.to_owned(),
                place: Place::new(account, region),
                subject: subject.to_owned(),
                answer: answer.to_owned(),
            })
        };
        parts().ok_or_else(|| {
            "expected the id of a record as messages and logs name it: \
             <function>/<account>/<region>/<subject>/<cause>-<attempt>"
                .to_owned()
        })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.function, self.place, self.subject, self.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for text in [
            "stop-instance/111122223333/eu-central-1/i-0abc/ca978112ca-0001",
            "restore-trail/111122223333/us-gov-west-1/arn:aws:x:trail/of/ours/ca978112ca-0012",
        ] {
            assert_eq!(text.parse::<Id>().unwrap().to_string(), text);
        }
        let id: Id = "f/111122223333/eu-central-1/a/b/ca978112ca-0001".parse().unwrap();
        assert_eq!(id.partition(), "record#f#111122223333#eu-central-1#a/b");
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in [
            "",
            "i-0abc",
            "stop-instance/1111/eu-central-1/i-0abc/ca978112ca-0001",
            "stop-instance/111122223333/eu-central-1/i-0abc",
            "stop-instance/111122223333/eu-central-1/i-0abc/ca978112ca",
            "stop-instance/111122223333/eu-central-1/i-0abc/nonsense-0001",
            "stop-instance/111122223333/eu-central-1//ca978112ca-0001",
        ] {
            assert!(text.parse::<Id>().unwrap_err().contains("expected the id"), "{text}");
        }
    }
}
