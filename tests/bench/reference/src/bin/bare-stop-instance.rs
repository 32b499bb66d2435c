//! Isolates the first network interface that a GuardDuty finding names: one call.

use bench_reference::{config, serve, text};
use lambda_runtime::Error;
use serde_json::Value;

fn main() -> Result<(), Error> {
    let ec2 = aws_sdk_ec2::Client::new(&config()?);
    let group = std::env::var("ISOLATION_GROUP")?;
    serve(|event| {
        let call = ec2.modify_network_interface_attribute().groups(&group);
        async move {
            let interface =
                text(&event, "/detail/resource/instanceDetails/networkInterfaces/0/networkInterfaceId")?;
            call.network_interface_id(interface).send().await?;
            Ok(Value::Null)
        }
    })
}
