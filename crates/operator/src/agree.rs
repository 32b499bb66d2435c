//! Asking a human before something is changed.

use std::io::{IsTerminal, Write};

use crate::failure::Failure;

/// Asks whether to go on; `yes` is the answer that was given on the command line. Without a terminal nobody can be asked.
pub fn agreed(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::Refused(
            "nothing was changed: nobody is at a terminal to agree; --yes agrees".to_owned(),
        ));
    }
    let mut err = anstream::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Refused("nothing was changed: nobody agreed".to_owned()))
    }
}
