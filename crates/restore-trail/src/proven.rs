//! Whether an event by itself shows that a trail does not record. Pure.
//!
//! A trail that was changed or deleted is compared with its baseline, which only the journal has; of a bucket or a key the event
//! does not say whether a trail uses it.

use tourniquet::cloudtrail::{ApiCall, DETAIL_TYPE};
use tourniquet::{Event, Lead};

use crate::event::Detail;
use crate::name;

/// Why the event alone shows that something is to be started again.
pub(crate) fn proven(event: &Event, lead: &Lead<Detail>) -> Option<String> {
    if event.detail_type() != DETAIL_TYPE {
        return None;
    }
    let call = ApiCall::of(event).ok()?;
    // One of another account is only reported: see the decision.
    let is_own = name::place_of(lead.detail.arn()?).is_some_and(|owner| owner.account == lead.place.account);
    match (call.event_name.as_str(), &lead.detail) {
        ("StopLogging", Detail::Trail { .. }) if is_own => Some("the trail was stopped".to_owned()),
        ("StopEventDataStoreIngestion", Detail::EventDataStore { .. }) if is_own => {
            Some("the ingestion of the event data store was stopped".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tourniquet::{Config, Room, Subjects};

    use super::*;
    use crate::RestoreTrail;

    fn of(raw: &str) -> Option<String> {
        let event = Event::parse(raw).unwrap();
        let config = Config::parse(r#"{"account":"111122223333"}"#).unwrap();
        let Subjects::Named(leads) = RestoreTrail::subjects(&event, &config).unwrap() else { return None };
        RestoreTrail::proven(&event, &leads[0], &config.settings)
    }

    fn fixture(name: &str) -> String {
        let path = format!("{}/fixtures/match/{name}.json", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn who_stops_a_trail_has_stopped_it() {
        for name in ["stop-logging", "stop-logging-by-arn"] {
            assert_eq!(of(&fixture(name)).as_deref(), Some("the trail was stopped"), "{name}");
        }
        assert!(of(&fixture("stop-ingestion")).unwrap().contains("ingestion"));
        for name in [
            "stop-logging-denied",
            "delete-trail",
            "update-trail",
            "put-event-selectors",
            "delete-bucket",
            "logging-disabled",
        ] {
            assert_eq!(of(&fixture(name)), None, "{name}");
        }
    }

    #[test]
    fn the_trail_of_another_account_is_no_proof() {
        let call = |arn: &str| {
            of(&format!(
                r#"{{"eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"eu-west-1","recipientAccountId":
                "111122223333","requestParameters":{{"name":"{arn}"}}}}"#
            ))
        };
        assert!(call("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main").is_some());
        assert_eq!(call("arn:aws:cloudtrail:eu-west-1:999900009999:trail/main"), None);
    }
}
