//! What S3's answers mean: a configuration that is not there, a bucket that is elsewhere; and S3's types as ours.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_bucket_acl::GetBucketAclOutput;
use aws_sdk_s3::types as s3;
use aws_sdk_s3control::types as control;
use tourniquet::error::{Class, Error};
use tourniquet::place::is_region;

use crate::acl::{Acl, Grant};
use crate::block::Block;
use crate::observation::Reading;

/// What was read, with `absent` for a configuration that is not there.
pub(super) fn or_absent<T>(answer: Result<T, Error>, absent: T) -> Result<T, Error> {
    match answer {
        Err(error) if error.class() == Some(Class::NotFound) && !is_gone(&error) => Ok(absent),
        other => other,
    }
}

/// What an answer with status 200 must hold. The SDK takes an empty body for an answer in which everything is absent, and
/// absent is not the same as safe.
pub(super) fn said<T>(value: Option<T>, call: &'static str, missing: &'static str) -> Result<T, Error> {
    value.ok_or(Error::Unexpected { call, missing })
}

/// Whether the bucket itself does not exist.
pub(super) fn is_gone(error: &Error) -> bool {
    error.code() == Some("NoSuchBucket")
}

/// What was read, or why not, for what can be decided without it.
pub(super) fn reading<T>(answer: Result<T, Error>) -> Reading<T> {
    answer.map_err(|error| error.to_string())
}

/// The region of the bucket, if S3 answers that it is another one: 301 `PermanentRedirect`, 400
/// `AuthorizationHeaderMalformed`, and for opt-in regions 400 `IllegalLocationConstraintException`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
pub(super) fn elsewhere<E: ProvideErrorMetadata>(error: &SdkError<E>, asked: &str) -> Option<String> {
    const CODES: [&str; 3] =
        ["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"];
    let response = error.raw_response()?;
    let status = response.status().as_u16();
    if !matches!(status, 301 | 307) && !error.code().is_some_and(|code| CODES.contains(&code)) {
        return None;
    }
    let header = response.headers().get("x-amz-bucket-region").map(str::to_owned);
    let in_body = || {
        let body = std::str::from_utf8(response.body().bytes()?).ok()?;
        let (region, _) = body.split_once("<Region>")?.1.split_once("</Region>")?;
        Some(region.to_owned())
    };
    header.or_else(in_body).filter(|region| is_region(region) && region != asked)
}

pub(super) fn of_bucket(block: &s3::PublicAccessBlockConfiguration) -> Block {
    Block {
        block_acls: block.block_public_acls().unwrap_or_default(),
        ignore_acls: block.ignore_public_acls().unwrap_or_default(),
        block_policy: block.block_public_policy().unwrap_or_default(),
        restrict: block.restrict_public_buckets().unwrap_or_default(),
    }
}

pub(super) fn for_bucket(block: Block) -> s3::PublicAccessBlockConfiguration {
    s3::PublicAccessBlockConfiguration::builder()
        .block_public_acls(block.block_acls)
        .ignore_public_acls(block.ignore_acls)
        .block_public_policy(block.block_policy)
        .restrict_public_buckets(block.restrict)
        .build()
}

pub(super) fn of_account(block: &control::PublicAccessBlockConfiguration) -> Block {
    Block {
        block_acls: block.block_public_acls().unwrap_or_default(),
        ignore_acls: block.ignore_public_acls().unwrap_or_default(),
        block_policy: block.block_public_policy().unwrap_or_default(),
        restrict: block.restrict_public_buckets().unwrap_or_default(),
    }
}

pub(super) fn for_account(block: Block) -> control::PublicAccessBlockConfiguration {
    control::PublicAccessBlockConfiguration::builder()
        .block_public_acls(block.block_acls)
        .ignore_public_acls(block.ignore_acls)
        .block_public_policy(block.block_policy)
        .restrict_public_buckets(block.restrict)
        .build()
}

pub(super) fn acl(answer: &GetBucketAclOutput) -> Acl {
    let grants = answer.grants().iter().map(|grant| {
        let grantee = grant.grantee();
        let text = |of: fn(&s3::Grantee) -> Option<&str>| grantee.and_then(of).map(str::to_owned);
        Grant {
            kind: grantee.map(|g| g.r#type().as_str().to_owned()).unwrap_or_default(),
            id: text(s3::Grantee::id),
            name: text(s3::Grantee::display_name),
            uri: text(s3::Grantee::uri),
            email: text(s3::Grantee::email_address),
            permission: grant.permission().map(|p| p.as_str().to_owned()).unwrap_or_default(),
        }
    });
    Acl {
        owner: answer.owner().and_then(s3::Owner::id).map(str::to_owned),
        owner_name: answer.owner().and_then(s3::Owner::display_name).map(str::to_owned),
        grants: grants.collect(),
    }
}

/// The list as S3 takes it.
pub(super) fn written(acl: &Acl) -> Result<s3::AccessControlPolicy, Error> {
    const CALL: &str = "s3:PutBucketAcl";
    let grants = acl.grants.iter().map(|grant| {
        let grantee = s3::Grantee::builder()
            .r#type(grant.kind.as_str().into())
            .set_id(grant.id.clone())
            .set_display_name(grant.name.clone())
            .set_uri(grant.uri.clone())
            .set_email_address(grant.email.clone())
            .build()
            .map_err(|_| Error::Unexpected { call: CALL, missing: "the type of a grantee" })?;
        Ok(s3::Grant::builder().grantee(grantee).permission(grant.permission.as_str().into()).build())
    });
    let owner =
        s3::Owner::builder().set_id(acl.owner.clone()).set_display_name(acl.owner_name.clone()).build();
    let grants: Vec<s3::Grant> = grants.collect::<Result<_, Error>>()?;
    Ok(s3::AccessControlPolicy::builder().owner(owner).set_grants(Some(grants)).build())
}
