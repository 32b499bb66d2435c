//! `${name}` in scenarios, permissions and events: what an earlier step saved, or what the deployment is called.
//!
//! A string that is nothing but one name becomes the value itself, whatever its type; inside a longer string the
//! value is written out. A name that nobody saved is an error that names it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde::Serialize;
use serde_json::Value;

/// The values by name.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Names(BTreeMap<String, Value>);

impl Names {
    /// Remembers a value; a later one of the same name replaces it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A copy of `value` in which every name is replaced, in keys too.
    pub fn fill(&self, value: &Value) -> Result<Value> {
        Ok(match value {
            Value::String(text) => self.string(text)?,
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill(item)).collect::<Result<_>>()?)
            }
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(key, item)| Ok((self.text(key)?, self.fill(item)?)))
                    .collect::<Result<_>>()?,
            ),
            other => other.clone(),
        })
    }

    /// A copy of `text` in which every name is written out.
    pub fn text(&self, text: &str) -> Result<String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                bail!("`{text}` opens a name and does not close it")
            };
            out.push_str(before);
            match self.lookup(name)? {
                Value::String(value) => out.push_str(value),
                value => out.push_str(&value.to_string()),
            }
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn string(&self, text: &str) -> Result<Value> {
        let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        match whole {
            Some(name) if !name.contains("${") => Ok(self.lookup(name)?.clone()),
            _ => Ok(Value::String(self.text(text)?)),
        }
    }

    fn lookup(&self, name: &str) -> Result<&Value> {
        match self.get(name) {
            Some(value) => Ok(value),
            None => bail!(
                "nothing saved `{name}`; known are {}",
                self.0.keys().cloned().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Names;

    #[test]
    fn whole_strings_keep_the_type_and_parts_are_written_out() {
        let mut names = Names::default();
        names.set("count", 3);
        names.set("id", "i-1");
        let filled =
            names.fill(&json!({"n": "${count}", "arn": "x/${id}/${count}", "${id}": [true]})).unwrap();
        assert_eq!(filled, json!({"n": 3, "arn": "x/i-1/3", "i-1": [true]}));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_it() {
        assert!(Names::default().fill(&json!("${instance}")).unwrap_err().to_string().contains("`instance`"));
    }
}
