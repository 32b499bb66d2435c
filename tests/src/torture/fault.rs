//! The columns of the matrix: what happens to a call, and for how long.

use crate::fault::{At, Fault, Kind};

/// Seconds until the emulator ends an invocation in which a call is too slow: less than [`crate::fault::SLOW`], and enough for
/// a run that meets no fault. A sweep begins nothing in its last five seconds.
const SHORT: u32 = 4;
const SHORT_SWEEP: u32 = 8;

/// What happens to a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Column {
    /// What.
    pub kind: Kind,
    /// Whether it happens to every later call of the operation too, until somebody mends it.
    pub lasts: bool,
}

impl Column {
    const fn once(kind: Kind) -> Self {
        Self { kind, lasts: false }
    }

    const fn lasting(kind: Kind) -> Self {
        Self { kind, lasts: true }
    }

    /// All columns.
    pub const ALL: [Self; 15] = [
        Self::once(Kind::Throttle),
        Self::lasting(Kind::Throttle),
        Self::once(Kind::Error500),
        Self::lasting(Kind::Error500),
        Self::once(Kind::Hang),
        Self::once(Kind::Reset),
        Self::once(Kind::Cut),
        Self::once(Kind::Html),
        Self::once(Kind::Empty),
        Self::once(Kind::Other),
        Self::once(Kind::Deny),
        Self::lasting(Kind::Deny),
        Self::once(Kind::Slow),
        Self::once(Kind::KillBefore),
        Self::once(Kind::KillAfter),
    ];

    /// Its name, short enough for the head of a column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match (self.kind, self.lasts) {
            (Kind::Throttle, false) => "throttled",
            (Kind::Throttle, true) => "throttled on",
            (Kind::Error500, false) => "500",
            (Kind::Error500, true) => "500 on",
            (Kind::Hang, _) => "no answer",
            (Kind::Reset, _) => "reset",
            (Kind::Cut, _) => "cut short",
            (Kind::Html, _) => "web page",
            (Kind::Empty, _) => "empty",
            (Kind::Other, _) => "other",
            (Kind::Deny, false) => "denied",
            (Kind::Deny, true) => "denied on",
            (Kind::Slow, _) => "slow",
            (Kind::Stale, _) => "stale",
            (Kind::KillBefore, _) => "killed before",
            (Kind::KillAfter, _) => "killed after",
        }
    }

    /// The rule for the proxy: the nth call of an operation, such as `ec2:StopInstances`.
    #[must_use]
    pub fn at(self, operation: &str, nth: u32) -> Fault {
        Fault {
            at: At::Operation(format!("{operation}#{nth}")),
            kind: self.kind,
            times: if self.lasts { u32::MAX } else { 1 },
        }
    }

    /// The function's timeout, where it is not that of its manifest.
    pub(super) fn timeout_s(self, sweeps: bool) -> Option<u32> {
        (self.kind == Kind::Slow).then_some(if sweeps { SHORT_SWEEP } else { SHORT })
    }

    /// Whether a write is believed to be carried out and is not.
    pub(super) fn lies(self) -> bool {
        matches!(self.kind, Kind::Empty | Kind::Other)
    }

    /// Whether the account carries the call out and the function cannot know: then the SDK sends it again.
    pub(super) fn loses_the_answer(self) -> bool {
        matches!(self.kind, Kind::Cut | Kind::Slow)
    }
}
