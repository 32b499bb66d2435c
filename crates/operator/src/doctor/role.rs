//! A role as IAM has it.

use aws_sdk_iam::Client;
use serde_json::Value;
use tourniquet::error::{Class, Error, aws};

/// A role.
#[derive(Debug, Default)]
pub(super) struct Role {
    /// The statements of its inline policies.
    pub(super) statements: Vec<Value>,
    /// The names of the policies that are attached to it.
    pub(super) attached: Vec<String>,
    /// Who may assume it.
    pub(super) trust: Vec<Value>,
}

/// Reads a role; `None` if there is none.
pub(super) async fn read(iam: &Client, name: &str) -> Result<Option<Role>, Error> {
    let seen = match iam.get_role().role_name(name).send().await.map_err(|e| aws("iam:GetRole", e)) {
        Ok(seen) => seen,
        Err(error) if error.class() == Some(Class::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let trust = seen.role().and_then(|role| role.assume_role_policy_document()).unwrap_or_default();
    let mut role = Role { trust: statements(trust), ..Role::default() };
    let mut names = iam.list_role_policies().role_name(name).into_paginator().items().send();
    while let Some(policy) = names.next().await {
        let policy = policy.map_err(|e| aws("iam:ListRolePolicies", e))?;
        let found = iam.get_role_policy().role_name(name).policy_name(policy).send().await;
        let found = found.map_err(|e| aws("iam:GetRolePolicy", e))?;
        role.statements.extend(statements(found.policy_document()));
    }
    let mut attached = iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
    while let Some(policy) = attached.next().await {
        let policy = policy.map_err(|e| aws("iam:ListAttachedRolePolicies", e))?;
        role.attached.extend(policy.policy_name().map(str::to_owned));
    }
    Ok(Some(role))
}

/// The statements of a document, which IAM sends URL-encoded.
fn statements(document: &str) -> Vec<Value> {
    let parsed =
        serde_json::from_str(document).or_else(|_| serde_json::from_str::<Value>(&decoded(document)));
    match parsed.ok().and_then(|mut policy| policy.get_mut("Statement").map(Value::take)) {
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) => {
                bytes.push(code);
                bytes.extend(rest.bytes());
            }
            _ => bytes.extend([b"%", part.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_come_encoded_or_plain_with_one_statement_or_several() {
        let statement = json!({"Sid": "größe", "Action": "a:b"});
        assert_eq!(
            statements(&json!({"Statement": [statement]}).to_string()),
            std::slice::from_ref(&statement)
        );
        let encoded =
            "%7B%22Statement%22%3A%7B%22Sid%22%3A%22gr%C3%B6%C3%9Fe%22%2C%22Action%22%3A%22a%3Ab%22%7D%7D";
        assert_eq!(statements(encoded), [statement]);
        assert!(statements("%zz%").is_empty());
    }
}
