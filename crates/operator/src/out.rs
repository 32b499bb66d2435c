//! Standard output, which the reader may close before everything is said.

use std::io::{ErrorKind, Write};

use crate::failure::Failure;

/// Standard output, line by line; styles reach terminals only.
#[derive(Debug, Default)]
pub struct Out {
    broken: Option<std::io::Error>,
}

impl Out {
    /// Says a line.
    pub fn line(&mut self, text: &str) {
        if self.broken.is_none() {
            self.broken = writeln!(anstream::stdout().lock(), "{text}").err();
        }
    }

    /// Says lines.
    pub fn lines(&mut self, lines: impl IntoIterator<Item = impl AsRef<str>>) {
        lines.into_iter().for_each(|line| self.line(line.as_ref()));
    }

    /// Whether everything was said. A reader such as `head` that has enough is no failure.
    pub fn end(self) -> Result<(), Failure> {
        match self.broken {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}
