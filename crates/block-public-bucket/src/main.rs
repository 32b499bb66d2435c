//! The Lambda function `block-public-bucket`.

use std::process::ExitCode;

use block_public_bucket::BlockPublicBucket;

fn main() -> ExitCode {
    tourniquet::serve::<BlockPublicBucket>()
}
