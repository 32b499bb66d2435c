//! The Lambda function `revoke-open-ingress`.

use std::process::ExitCode;

use revoke_open_ingress::RevokeOpenIngress;

fn main() -> ExitCode {
    tourniquet::serve::<RevokeOpenIngress>()
}
