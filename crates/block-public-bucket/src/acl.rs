//! Access control lists: whom they let in, and the list without the public.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The two groups that are the public: everybody, and everybody with any AWS account.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups>
const PUBLIC: [&str; 2] = ["/groups/global/AllUsers", "/groups/global/AuthenticatedUsers"];

/// An access control list, whole, so that it can be restored.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Acl {
    /// The owner's canonical id, which S3 wants back in every new list.
    pub owner: Option<String>,
    /// The owner's name, where AWS still gives one.
    pub owner_name: Option<String>,
    /// Its grants.
    pub grants: Vec<Grant>,
}

/// One grant.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Grant {
    /// `CanonicalUser`, `Group` or `AmazonCustomerByEmail`.
    pub kind: String,
    /// The canonical id of a user.
    pub id: Option<String>,
    /// The name of a user, where AWS still gives one.
    pub name: Option<String>,
    /// The URI of a group.
    pub uri: Option<String>,
    /// The address of a user.
    pub email: Option<String>,
    /// Such as `READ` or `FULL_CONTROL`.
    pub permission: String,
}

impl Grant {
    /// Whether the public gets something by it. The log delivery group, the owner and named accounts do not count.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.uri.as_ref().is_some_and(|uri| PUBLIC.iter().any(|group| uri.ends_with(group)))
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grantee = [&self.uri, &self.name, &self.email, &self.id].into_iter().flatten().next();
        let grantee = grantee.map_or("nobody", |g| g.rsplit('/').next().unwrap_or(g));
        write!(f, "{grantee} {}", self.permission)
    }
}

impl Acl {
    /// The grants to the public.
    pub fn public(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| grant.is_public())
    }

    /// The same list without them.
    #[must_use]
    pub fn without_public(&self) -> Self {
        let grants = self.grants.iter().filter(|grant| !grant.is_public()).cloned().collect();
        Self { grants, ..self.clone() }
    }
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grants: Vec<String> = self.grants.iter().map(ToString::to_string).collect();
        f.write_str(if grants.is_empty() { "no grants" } else { "" })?;
        f.write_str(&grants.join(", "))
    }
}

#[cfg(test)]
#[path = "acl_tests.rs"]
mod tests;
