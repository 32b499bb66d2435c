//! EventBridge's part: an event reaches a function only if one of the patterns in its room's `triggers/` matches.
//!
//! Patterns are matched with `quamina`. Where it and EventBridge differ a pattern is refused, so that what matches here
//! also matches there.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use quamina::Quamina;
use serde_json::Value;

/// The operators on which quamina and EventBridge agree.
const OPERATORS: [&str; 8] =
    ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard"];

/// The triggers of one room.
pub struct Rules {
    matcher: Quamina<String>,
    count: usize,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Rules {
    /// Reads every trigger of a room.
    pub fn of(room: &Path) -> Result<Self> {
        let folder = room.join("triggers");
        let mut rules = Self { matcher: Quamina::new(), count: 0 };
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry?.path();
            let pattern: Value = crate::scenario::read(&path)?;
            check(&pattern).with_context(|| path.display().to_string())?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            rules
                .matcher
                .add_pattern(name, &pattern.to_string())
                .map_err(|e| anyhow!("{}: {e}", path.display()))?;
            rules.count += 1;
        }
        Ok(rules)
    }

    /// The names of the triggers that match an event.
    pub fn matching(&self, event: &Value) -> Result<Vec<String>> {
        self.matcher
            .matches_for_event(event.to_string().as_bytes())
            .map_err(|e| anyhow!("the event cannot be matched: {e}"))
    }
}

/// Refuses operators that only one of the two knows, and those inside `anything-but`, which quamina reads differently.
fn check(pattern: &Value) -> Result<()> {
    match pattern {
        Value::Object(fields) => fields.iter().try_for_each(|(key, inner)| {
            if key.starts_with('$') {
                bail!("the drill cannot match `{key}`");
            }
            check(inner)
        }),
        Value::Array(alternatives) => alternatives.iter().try_for_each(|alternative| match alternative {
            Value::Object(operator) => operator.iter().try_for_each(|(name, operand)| {
                if !OPERATORS.contains(&name.as_str()) || (name != "numeric" && operand.is_object()) {
                    bail!("the drill cannot match the operator `{name}` the way EventBridge does");
                }
                Ok(())
            }),
            _ => Ok(()),
        }),
        other => bail!("a pattern's value is a list, not {other}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn only_what_both_understand_is_allowed() {
        assert!(
            check(&json!({"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 4]}]}}))
                .is_ok()
        );
        assert!(check(&json!({"detail": {"$or": [{"a": ["b"]}]}})).is_err());
        assert!(check(&json!({"detail": {"type": [{"anything-but": {"prefix": "x"}}]}})).is_err());
        assert!(check(&json!({"detail": {"type": [{"regexp": "x"}]}})).is_err());
    }
}
