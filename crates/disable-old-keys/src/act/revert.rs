//! Taking one change back, under the operator's credentials. A key that is marked as compromised stays inactive, whoever
//! asks: its secret is public.

use aws_sdk_iam::types::StatusType;
use tourniquet::error::Error;
use tourniquet::{Consent, Lead, Reverted};

use super::Clients;
use super::apply::{find, set};
use super::observe::quarantine;
use crate::change::Change;
use crate::event::Detail;

/// Takes one change back.
pub(crate) async fn revert(
    clients: &Clients,
    lead: &Lead<Detail>,
    change: &Change,
    consent: Consent,
) -> Result<Reverted, Error> {
    let user = lead.subject.as_str();
    let Change::Deactivate { key, compromised, .. } = change;
    let Some(found) = find(clients, user, key).await? else {
        return Ok(Reverted::Drifted {
            expected: format!("access key {key}, inactive"),
            found: "no such key".to_owned(),
        });
    };
    if found.active {
        return Ok(Reverted::AlreadyThere);
    }
    if let Some(policy) = quarantine(clients, user).await? {
        return Ok(Reverted::Refused(format!(
            "access key {key} stays inactive: AWS has marked the user's keys as compromised ({policy}); create a new key"
        )));
    }
    if *compromised {
        return Ok(Reverted::Refused(format!(
            "access key {key} stays inactive: it was marked as compromised when it was deactivated; create a new key"
        )));
    }
    consent.restore(set(clients, user, &found.id, StatusType::Active)).await
}
