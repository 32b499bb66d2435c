//! The rooms' own files: `function.json`, `permissions.json` and the triggers, as they were when the command was built.

use crate::failure::Failure;

/// One room's files.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// The function's name.
    pub name: &'static str,
    /// `function.json`.
    pub function: &'static str,
    /// `permissions.json`.
    pub permissions: &'static str,
    /// Name and text of each file in `triggers/`.
    pub triggers: &'static [(&'static str, &'static str)],
}

/// Every room, in the order of the names.
pub const ALL: &[Room] = include!(concat!(env!("OUT_DIR"), "/rooms.rs"));

/// The room of a function.
pub fn named(function: &str) -> Result<&'static Room, Failure> {
    ALL.iter().find(|room| room.name == function).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|room| room.name).collect();
        Failure::Usage(format!(
            "--function: there is no function {function:?}; there are {}",
            names.join(", ")
        ))
    })
}

/// The rooms that an option `--function` names, or all of them where it names none.
pub fn chosen(names: &[String]) -> Result<Vec<&'static Room>, Failure> {
    if names.is_empty() { Ok(ALL.iter().collect()) } else { names.iter().map(|name| named(name)).collect() }
}
