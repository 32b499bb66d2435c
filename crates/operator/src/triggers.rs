//! EventBridge's part: which triggers of which functions match an event.
//!
//! Patterns are matched with `quamina`. The project's tests allow in `triggers/` only what it and EventBridge read alike.

use quamina::Quamina;

use crate::failure::Failure;
use crate::rooms;

/// The triggers of every function.
pub struct Triggers(Quamina<(&'static str, &'static str)>);

impl std::fmt::Debug for Triggers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Triggers").finish_non_exhaustive()
    }
}

impl Triggers {
    /// Reads the triggers of all rooms.
    pub fn all() -> Result<Self, Failure> {
        let mut matcher = Quamina::new();
        for room in rooms::ALL {
            for (name, pattern) in room.triggers {
                let added = matcher.add_pattern((room.name, *name), pattern);
                added.map_err(|e| Failure::Failed(format!("trigger {name} of {}: {e}", room.name)))?;
            }
        }
        Ok(Self(matcher))
    }

    /// Function and trigger of each that matches an event, given as JSON.
    pub fn matching(&self, event: &[u8]) -> Result<Vec<(&'static str, &'static str)>, Failure> {
        let mut found = self
            .0
            .matches_for_event(event)
            .map_err(|e| Failure::Usage(format!("the event cannot be matched: {e}")))?;
        found.sort_unstable();
        Ok(found)
    }
}
