//! Who did it, as far as the event says. Every field may be absent: root has no user name, an AWS service no address,
//! a finding no principal. Nothing that contains waits for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The principal behind an event, for the report.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Actor {
    /// ARN, user name or service name of the caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// ARN of the role behind the caller's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<String>,
    /// Where the call, or the attack, came from: an address or the name of an AWS service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// The tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The AWS service that made the call on somebody's behalf, such as CloudFormation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
}

impl Actor {
    /// Who it is, whatever name a session goes by: that name is the caller's own choice, its role is not.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.session_issuer.as_deref().or(self.principal.as_deref())
    }

    /// Whether both are the same, as far as events say who.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        match (self.identity(), other.identity()) {
            (None, None) => self == other,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("", &self.principal),
            ("session of ", &self.session_issuer),
            ("from ", &self.source_ip),
            ("by ", &self.invoked_by),
            ("with ", &self.user_agent),
        ];
        let mut first = true;
        for (label, value) in parts {
            if let Some(value) = value {
                write!(f, "{}{label}{value}", if first { "" } else { ", " })?;
                first = false;
            }
        }
        if first { f.write_str("unknown") } else { Ok(()) }
    }
}
