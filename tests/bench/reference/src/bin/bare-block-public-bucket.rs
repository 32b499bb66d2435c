//! Turns all four settings of a bucket's Block Public Access on: one call.

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use bench_reference::{config, serve, text};
use lambda_runtime::Error;
use serde_json::Value;

fn main() -> Result<(), Error> {
    let shared = config()?;
    let path_style = shared.endpoint_url().is_some();
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&shared).force_path_style(path_style).build(),
    );
    serve(|event| {
        let call = s3.put_public_access_block();
        async move {
            let block = PublicAccessBlockConfiguration::builder()
                .block_public_acls(true)
                .ignore_public_acls(true)
                .block_public_policy(true)
                .restrict_public_buckets(true)
                .build();
            let bucket = text(&event, "/detail/requestParameters/bucketName")?;
            call.bucket(bucket).public_access_block_configuration(block).send().await?;
            Ok(Value::Null)
        }
    })
}
