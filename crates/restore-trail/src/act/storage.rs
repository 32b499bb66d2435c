//! The parts of reading a bucket or a key that are about where it lives: neither has to be in the trail's region.

use aws_sdk_s3::config::Region;
use tourniquet::error::{Class, Error};

/// The configuration of a call to another region, or to the client's own.
pub(super) fn s3_in(region: Option<&str>) -> aws_sdk_s3::config::Builder {
    let region = region.map(|region| Region::new(region.to_owned()));
    let builder = aws_sdk_s3::config::Config::builder();
    if region.is_some() { builder.region(region) } else { builder }
}

/// The same for KMS.
pub(super) fn kms_in(region: Option<&str>) -> aws_sdk_kms::config::Builder {
    let region = region.map(|region| aws_sdk_kms::config::Region::new(region.to_owned()));
    let builder = aws_sdk_kms::config::Config::builder();
    if region.is_some() { builder.region(region) } else { builder }
}

/// The region that S3 points to when a bucket is asked about in a wrong one.
pub(super) fn elsewhere<E>(error: &aws_sdk_s3::error::SdkError<E>) -> Option<String> {
    let response = error.raw_response()?;
    let redirects = matches!(response.status().as_u16(), 301 | 307 | 400);
    let region = response.headers().get("x-amz-bucket-region")?;
    (redirects && tourniquet::place::is_region(region)).then(|| region.to_owned())
}

/// Whether S3 says that a bucket is not there; a `HEAD` has no body and so no code.
pub(super) fn is_gone(error: &Error) -> bool {
    error.class() == Some(Class::NotFound) || error.code() == Some("Http404")
}

/// Whether S3 will not tell us of a bucket: it is another account's than expected, or a policy forbids it.
pub(super) fn is_refused(error: &Error) -> bool {
    error.class() == Some(Class::Denied) || matches!(error.code(), Some("Http403" | "Forbidden"))
}
