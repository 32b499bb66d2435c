//! Names: of buckets, of what is called like one and is none, and of access points.

use tourniquet::error::Error;

/// What a name stands for.
pub(super) enum Name {
    /// A general purpose bucket.
    Bucket(String),
    /// Something else, and why nothing is done about it.
    Other(String),
}

/// Endings that S3 keeps for other things. None of them can be public: they know no ACLs and no public policies, or are
/// only another name.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const RESERVED: [(&str, &str); 5] = [
    ("--x-s3", "a directory bucket"),
    ("--table-s3", "a table bucket"),
    ("-s3alias", "the alias of an access point"),
    ("--ol-s3", "the alias of an Object Lambda access point"),
    (".mrap", "the alias of a multi-region access point"),
];

/// Services whose buckets are not S3's general purpose ones, by their place in an ARN.
const SERVICES: [(&str, &str); 4] = [
    ("s3express", "a directory bucket"),
    ("s3tables", "a table bucket"),
    ("s3vectors", "a vector bucket"),
    ("s3-outposts", "a bucket on an Outpost"),
];

impl Name {
    /// Reads a name or an ARN from a field of an event.
    pub(super) fn of(text: &str, field: &'static str) -> Result<Self, Error> {
        let mut name = text;
        if text.starts_with("arn:") {
            let parts: Vec<&str> = text.splitn(6, ':').collect();
            let service = parts.get(2).copied().unwrap_or_default();
            if let Some((_, kind)) = SERVICES.iter().find(|(prefix, _)| *prefix == service) {
                return Ok(Self::Other(format!("{text} is {kind}, which cannot be public")));
            }
            name = parts.get(5).copied().filter(|_| service == "s3").unwrap_or_default();
        }
        if let Some((_, kind)) = RESERVED.iter().find(|(ending, _)| name.ends_with(ending)) {
            return Ok(Self::Other(format!("{name} is {kind}, which this function does not answer")));
        }
        if is_bucket(name) {
            return Ok(Self::Bucket(name.to_owned()));
        }
        Err(Error::event(field, format!("{text:?} is not the name of a bucket")))
    }
}

/// Whether a text can be the name of a bucket. Old ones in us-east-1 may have up to 255 characters, capitals and
/// underscores.
fn is_bucket(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    (3..=255).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.contains("..")
        && !name.starts_with('.')
}

/// Whether a text can be the name of an access point.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-restrictions-limitations-naming-rules.html>
pub(super) fn is_point(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (3..=50).contains(&name.len()) && name.bytes().all(allowed)
}
