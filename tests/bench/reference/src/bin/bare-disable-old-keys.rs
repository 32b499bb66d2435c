//! Deactivates one access key that its environment names: one call.

use aws_sdk_iam::types::StatusType;
use bench_reference::{config, serve};
use lambda_runtime::Error;
use serde_json::Value;

fn main() -> Result<(), Error> {
    let iam = aws_sdk_iam::Client::new(&config()?);
    let (user, key) = (std::env::var("USER_NAME")?, std::env::var("KEY_ID")?);
    serve(|_| {
        let call = iam.update_access_key().user_name(&user).access_key_id(&key);
        async move {
            call.status(StatusType::Inactive).send().await?;
            Ok(Value::Null)
        }
    })
}
