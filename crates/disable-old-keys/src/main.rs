//! The Lambda function `disable-old-keys`.

use std::process::ExitCode;

use disable_old_keys::DisableOldKeys;

fn main() -> ExitCode {
    tourniquet::serve::<DisableOldKeys>()
}
