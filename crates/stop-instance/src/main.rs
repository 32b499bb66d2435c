//! The Lambda function `stop-instance`.

use std::process::ExitCode;

use stop_instance::StopInstance;

fn main() -> ExitCode {
    tourniquet::serve::<StopInstance>()
}
