//! EventBridge's part: an event reaches a function only if one of the patterns in its room's `triggers/` matches.
//!
//! Patterns are matched with `quamina`. Where it and EventBridge differ a pattern is refused, so that what matches here
//! also matches there.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use quamina::Quamina;
use serde_json::Value;

/// Patterns by name.
pub type Patterns = BTreeMap<String, Value>;

/// Rules with their patterns, such as the triggers of one room.
pub struct Rules {
    matcher: Quamina<String>,
    count: usize,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("count", &self.count).finish_non_exhaustive()
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self { matcher: Quamina::new(), count: 0 }
    }
}

impl Rules {
    /// Reads every trigger of a room.
    pub fn of(room: &Path) -> Result<Self> {
        Self::new(&Self::patterns(room)?).with_context(|| room.display().to_string())
    }

    /// The triggers of a room by the names of their files; none where only its schedule calls it.
    pub fn patterns(room: &Path) -> Result<Patterns> {
        let folder = room.join("triggers");
        let mut patterns = Patterns::new();
        if !folder.exists() {
            return Ok(patterns);
        }
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            patterns.insert(name, crate::scenario::read(&path)?);
        }
        Ok(patterns)
    }

    /// Rules with these patterns.
    pub fn new(patterns: &Patterns) -> Result<Self> {
        let mut rules = Self::default();
        for (name, pattern) in patterns {
            rules.add(name, pattern).with_context(|| name.clone())?;
        }
        Ok(rules)
    }

    /// Adds a pattern, if quamina and EventBridge read it alike.
    pub fn add(&mut self, name: &str, pattern: &Value) -> Result<()> {
        check(pattern)?;
        self.matcher.add_pattern(name.to_owned(), &pattern.to_string()).map_err(|e| anyhow!("{e}"))?;
        self.count += 1;
        Ok(())
    }

    /// The names of the triggers that match an event.
    pub fn matching(&self, event: &Value) -> Result<Vec<String>> {
        self.matcher
            .matches_for_event(event.to_string().as_bytes())
            .map_err(|e| anyhow!("the event cannot be matched: {e}"))
    }
}

/// Refuses what only one of the two understands, and what they were seen to read differently.
fn check(pattern: &Value) -> Result<()> {
    match pattern {
        Value::Object(fields) => fields.iter().try_for_each(|(key, inner)| {
            // EventBridge takes `{"a.b": x}` and `{"a": {"b": x}}` for the same, quamina does not.
            if key.starts_with('$') || key.contains('.') {
                bail!("the drill cannot match the key `{key}` the way EventBridge does");
            }
            check(inner)
        }),
        Value::Array(alternatives) if alternatives.is_empty() => bail!("EventBridge refuses an empty list"),
        Value::Array(alternatives) => alternatives
            .iter()
            .try_for_each(|one| alternative(one, alternatives.len()).with_context(|| one.to_string())),
        other => bail!("a pattern's value is a list, not {other}"),
    }
}

fn alternative(one: &Value, of: usize) -> Result<()> {
    let operator = match one {
        Value::Array(_) => bail!("EventBridge refuses a list in a list"),
        Value::Object(operator) => operator,
        _ => return Ok(()),
    };
    // Beside another alternative quamina does not see that a field is absent, or that another one is.
    let presence = operator.contains_key("exists");
    let agreed = operator.len() == 1 && operator.iter().all(|(name, operand)| agree(name, operand));
    if !agreed || (presence && of > 1) {
        bail!("the drill cannot match this the way EventBridge does");
    }
    Ok(())
}

/// The operators on which quamina and EventBridge agree.
fn agree(name: &str, operand: &Value) -> bool {
    match name {
        "anything-but" => {
            let all = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
            !all.is_empty() && (all.iter().all(Value::is_string) || all.iter().all(Value::is_number))
        }
        // quamina does not read every spelling of an IPv6 address.
        "cidr" => operand.as_str().is_some_and(|cidr| !cidr.contains(':')),
        "equals-ignore-case" | "prefix" | "suffix" => operand.is_string(),
        "exists" => operand.is_boolean(),
        "numeric" => operand.as_array().is_some_and(|bounds| range(bounds)),
        // EventBridge refuses what it finds too complex, by a measure that it does not publish; two stars pass.
        "wildcard" => operand.as_str().is_some_and(|text| text.matches('*').count() <= 2),
        _ => false,
    }
}

/// One comparison, or a lower bound and then an upper one: EventBridge refuses all else. Between bounds with fractions quamina finds
/// what lies below them.
fn range(bounds: &[Value]) -> bool {
    let is = |value: &Value, signs: &[&str]| value.as_str().is_some_and(|sign| signs.contains(&sign));
    match bounds {
        [sign, number] => is(sign, &["<", "<=", "=", ">", ">="]) && number.is_number(),
        [from, low, to, high] => {
            is(from, &[">", ">="]) && low.is_i64() && is(to, &["<", "<="]) && high.is_i64()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Rules;

    fn accepted(alternatives: &Value) -> bool {
        Rules::default().add("one", &json!({"detail": {"field": alternatives}})).is_ok()
    }

    #[test]
    fn what_both_read_alike_is_allowed() {
        for alternatives in [
            json!(["a", 1, true, null]),
            json!([{"anything-but": "a"}]),
            json!([{"anything-but": ["a", "b"]}]),
            json!([{"anything-but": [1, 2]}]),
            json!([{"cidr": "10.0.0.0/8"}]),
            json!([{"equals-ignore-case": "a"}]),
            json!([{"exists": false}]),
            json!([{"exists": true}]),
            json!([{"numeric": [">=", 4]}]),
            json!([{"numeric": [">", 0, "<=", 5]}]),
            json!([{"prefix": "a"}, {"suffix": "b"}]),
            json!([{"wildcard": "*:ec2:*"}]),
        ] {
            assert!(accepted(&alternatives), "{alternatives}");
        }
    }

    #[test]
    fn what_only_one_understands_or_both_read_differently_is_refused() {
        for alternatives in [
            json!([]),
            json!("a"),
            json!([["a"]]),
            json!([{"regexp": "a"}]),
            json!([{"shellstyle": "a*"}]),
            json!([{"anything-but": {"prefix": "a"}}]),
            json!([{"anything-but": ["a", null]}]),
            json!([{"anything-but": ["a", 1]}]),
            json!([{"anything-but": []}]),
            json!([{"cidr": "2001:db8::/32"}]),
            json!([{"exists": false}, "a"]),
            json!([{"exists": true}, "a"]),
            json!([{"exists": "true"}]),
            json!([{"numeric": [">", 2, "<=", 4.5]}]),
            json!([{"numeric": [">", 0, ">", 0]}]),
            json!([{"numeric": ["<", 5, ">", 0]}]),
            json!([{"prefix": {"equals-ignore-case": "a"}}]),
            json!([{"prefix": "a", "suffix": "b"}]),
            json!([{"wildcard": "*:*:*"}]),
        ] {
            assert!(!accepted(&alternatives), "{alternatives}");
        }
    }

    #[test]
    fn keys_are_plain_names() {
        for pattern in [json!({"$or": [{"a": ["b"]}]}), json!({"detail.type": ["a"]})] {
            assert!(Rules::default().add("one", &pattern).is_err(), "{pattern}");
        }
    }
}
