//! The Lambda function `restore-trail`.

use std::process::ExitCode;

use restore_trail::RestoreTrail;

fn main() -> ExitCode {
    tourniquet::serve::<RestoreTrail>()
}
