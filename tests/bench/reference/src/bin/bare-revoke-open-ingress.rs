//! Closes port 3389 of the security group that an event names: one call.

use aws_sdk_ec2::types::{IpPermission, IpRange};
use bench_reference::{config, serve, text};
use lambda_runtime::Error;
use serde_json::Value;

fn main() -> Result<(), Error> {
    let ec2 = aws_sdk_ec2::Client::new(&config()?);
    serve(|event| {
        let call = ec2.revoke_security_group_ingress();
        async move {
            let open = IpPermission::builder()
                .ip_protocol("tcp")
                .from_port(3389)
                .to_port(3389)
                .ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build())
                .build();
            let group = text(&event, "/detail/requestParameters/groupId")?;
            let answer = call.group_id(group).ip_permissions(open).send().await?;
            if answer.r#return() != Some(true) {
                return Err("nothing was revoked".into());
            }
            Ok(Value::Null)
        }
    })
}
