//! Making one change. The key is looked up again: it may have been rotated since, and the record does not hold its id.

use aws_sdk_iam::types::StatusType;
use tourniquet::Lead;
use tourniquet::error::{Class, Error, aws};

use super::observe::{Listed, keys};
use super::{Clients, scrubbed};
use crate::change::Change;
use crate::event::Detail;
use crate::key::KeyName;

/// Makes one change. A key that is gone or inactive by now needs none.
pub(crate) async fn apply(clients: &Clients, lead: &Lead<Detail>, change: &Change) -> Result<(), Error> {
    let user = lead.subject.as_str();
    let Some(key) = find(clients, user, change.name()).await?.filter(|key| key.active) else { return Ok(()) };
    match set(clients, user, &key.id, StatusType::Inactive).await {
        Err(error) if error.class() == Some(Class::NotFound) => Ok(()),
        other => other,
    }
}

/// The key of a user with this name, if it is still there.
pub(super) async fn find(clients: &Clients, user: &str, name: &KeyName) -> Result<Option<Listed>, Error> {
    let listed = keys(clients, user).await?.unwrap_or_default();
    let mut named = listed.into_iter().filter(|key| key.name == *name);
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err(Error::Unexpected {
            call: "iam:ListAccessKeys",
            missing: "a difference between two keys of the user in their last four characters or creation date",
        }),
        (found, _) => Ok(found),
    }
}

pub(super) async fn set(clients: &Clients, user: &str, id: &str, status: StatusType) -> Result<(), Error> {
    clients
        .iam
        .update_access_key()
        .user_name(user)
        .access_key_id(id)
        .status(status)
        .send()
        .await
        .map(|_| ())
        .map_err(|e| scrubbed(aws("iam:UpdateAccessKey", e)))
}
