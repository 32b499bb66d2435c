//! Names that events give to trails, event data stores, buckets and keys: checked, and resolved to where they live.
//!
//! A trail is named by its plain name or by its ARN. A plain name is one of the region of the call: CloudTrail takes
//! changes of a trail in its home region only and answers elsewhere with `InvalidHomeRegionException`.

use tourniquet::Place;
use tourniquet::error::Error;
use tourniquet::place::{is_account, is_region, partition};

/// A trail or an event data store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Named {
    /// Its ARN.
    pub(crate) arn: String,
    /// The account that owns it, with its home region.
    pub(crate) owner: Place,
    /// Its name, or the id of an event data store.
    pub(crate) name: String,
}

/// The trail of this name or ARN; `here` is where the call was made.
pub(crate) fn trail(text: &str, here: &Place, field: &str) -> Result<Named, Error> {
    let named = named(text, "trail", here, field)?;
    // https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-trail-naming-requirements.html
    let plain = |c: char| c.is_ascii_alphanumeric();
    let allowed = |c: char| plain(c) || "._-".contains(c);
    let name = named.name.as_str();
    let length = (3..=128).contains(&name.len());
    if length && name.starts_with(plain) && name.ends_with(plain) && name.chars().all(allowed) {
        return Ok(named);
    }
    Err(refused(text, "the name or ARN of a trail", field))
}

/// The event data store of this id or ARN.
pub(crate) fn store(text: &str, here: &Place, field: &str) -> Result<Named, Error> {
    let named = named(text, "eventdatastore", here, field)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (3..=64).contains(&named.name.len()) && named.name.chars().all(allowed) {
        return Ok(named);
    }
    Err(refused(text, "the id or ARN of an event data store", field))
}

/// The name of a bucket; old ones in us-east-1 may have capitals, underscores and up to 255 characters.
pub(crate) fn bucket(text: &str, field: &str) -> Result<String, Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let whole = (3..=255).contains(&text.len()) && text.chars().all(allowed);
    whole.then(|| text.to_owned()).ok_or_else(|| refused(text, "the name of a bucket", field))
}

/// The id of a key, from its id or ARN, and its region if the ARN says so.
pub(crate) fn key(text: &str, here: &Place, field: &str) -> Result<(String, Place), Error> {
    let named = named(text, "key", here, field)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (3..=64).contains(&named.name.len()) && named.name.chars().all(allowed) {
        return Ok((named.name, named.owner));
    }
    Err(refused(text, "the id or ARN of a key", field))
}

/// Account and region of an ARN.
pub(crate) fn place_of(arn: &str) -> Option<Place> {
    let mut parts = arn.splitn(6, ':').skip(3);
    let (region, account) = (parts.next()?, parts.next()?);
    (is_region(region) && is_account(account)).then(|| Place::new(account, region))
}

fn named(text: &str, kind: &str, here: &Place, field: &str) -> Result<Named, Error> {
    let service = if kind == "key" { "kms" } else { "cloudtrail" };
    if !text.starts_with("arn:") {
        let arn = here.arn(service, &format!("{kind}/{text}"));
        return Ok(Named { arn, owner: here.clone(), name: text.to_owned() });
    }
    let wrong = || refused(text, &format!("the ARN of a {kind}"), field);
    let owner = place_of(text).ok_or_else(wrong)?;
    let head =
        format!("arn:{}:{service}:{}:{}:{kind}/", partition(&owner.region), owner.region, owner.account);
    let name = text.strip_prefix(&head).ok_or_else(wrong)?.to_owned();
    Ok(Named { arn: text.to_owned(), owner, name })
}

fn refused(text: &str, what: &str, field: &str) -> Error {
    let shown: String = text.chars().take(140).collect();
    Error::event(field, format!("{shown:?} is not {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn here() -> Place {
        Place::new("111122223333", "eu-central-1")
    }

    #[test]
    fn c1_a_plain_name_lives_where_the_call_was_made_and_an_arn_where_it_says() {
        let plain = trail("audit", &here(), "f").unwrap();
        assert_eq!(plain.arn, "arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit");
        let arn = "arn:aws:cloudtrail:us-east-1:444455556666:trail/audit";
        let elsewhere = trail(arn, &here(), "f").unwrap();
        assert_eq!((elsewhere.arn.as_str(), elsewhere.name.as_str()), (arn, "audit"));
        assert_eq!(elsewhere.owner, Place::new("444455556666", "us-east-1"));
    }

    #[test]
    fn g13_partitions_follow_the_region() {
        let china = Place::new("111122223333", "cn-north-1");
        assert!(trail("audit", &china, "f").unwrap().arn.starts_with("arn:aws-cn:cloudtrail:cn-north-1:"));
        assert!(
            trail("arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:trail/audit", &here(), "f").is_ok()
        );
        assert!(trail("arn:aws:cloudtrail:us-gov-west-1:111122223333:trail/audit", &here(), "f").is_err());
    }

    #[test]
    fn g16_what_is_no_name_is_refused_and_named() {
        for text in [
            "",
            "ab",
            "a/../b",
            "a b",
            "arn:aws:cloudtrail:eu-central-1:1:trail/audit",
            "arn:aws:cloudtrail:eu-central-1:111122223333:channel/audit",
            "arn:aws:s3:::audit",
        ] {
            let error = trail(text, &here(), "detail.requestParameters.name").unwrap_err().to_string();
            assert!(error.contains("detail.requestParameters.name") && error.contains("is not"), "{error}");
        }
        assert!(bucket("../x", "f").is_err() && bucket("logs.example", "f").is_ok());
        assert!(key("arn:aws:kms:eu-central-1:111122223333:alias/logs", &here(), "f").is_err());
        let (id, place) = key("arn:aws:kms:eu-west-1:111122223333:key/mrk-1234", &here(), "f").unwrap();
        assert_eq!((id.as_str(), place.region.as_str()), ("mrk-1234", "eu-west-1"));
    }

    proptest! {
        #[test]
        fn g16_no_text_reaches_an_arn_unchecked(text in ".{0,60}") {
            if let Ok(named) = trail(&text, &here(), "f") {
                prop_assert!(named.name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)));
                prop_assert!(named.arn.ends_with(&named.name));
            }
        }
    }
}
