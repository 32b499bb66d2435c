//! What a function may read, by its room's permissions: the reads among the actions of `permissions.json`, with the reason
//! that stands beside them.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::rooms::Room;

/// Reads that have one reason.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub(super) struct Reads {
    /// The actions.
    pub(super) actions: Vec<String>,
    /// Why the room has them.
    pub(super) why: String,
}

#[derive(Deserialize)]
struct Permissions {
    statements: Vec<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    actions: Vec<String>,
    why: String,
}

/// The reads of a room.
pub(super) fn of(room: &Room) -> Result<Vec<Reads>, Failure> {
    let permissions: Permissions = serde_json::from_str(room.permissions)
        .map_err(|e| Failure::Failed(format!("permissions.json of {}: {e}", room.name)))?;
    let reads = permissions.statements.into_iter().filter_map(|statement| {
        let actions: Vec<String> = statement.actions.into_iter().filter(|action| is_read(action)).collect();
        (!actions.is_empty()).then_some(Reads { actions, why: statement.why })
    });
    Ok(reads.collect())
}

/// IAM's verbs of reading.
fn is_read(action: &str) -> bool {
    let operation = action.split_once(':').map_or(action, |(_, operation)| operation);
    ["Describe", "Get", "List", "GenerateCredentialReport"].iter().any(|verb| operation.starts_with(verb))
}
