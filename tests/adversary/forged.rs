//! Who makes up events, or real events about what is not ours.

use drill::rules::Rules;

use super::*;

/// Sources that others than AWS can put on a bus. `PutEvents` refuses `aws.…`; partners' sources begin with `aws.partner/`.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>
const FOREIGN: [&str; 6] = ["custom.{}", "{}", "{}.evil", "aws.partner/evil.example/{}", "AWS.{}", " aws.{}"];

#[test]
fn no_rule_matches_an_event_that_others_than_aws_can_put() {
    let tools = Tools::find().unwrap();
    let mut tried = 0;
    for function in tools.functions().unwrap() {
        let room = tools.room(&function);
        let rules = Rules::of(&room).unwrap();
        for (name, pattern) in Rules::patterns(&room).unwrap() {
            let sources =
                pattern["source"].as_array().unwrap_or_else(|| panic!("{function}/{name} names no source"));
            let named = |source: &Value| {
                source
                    .as_str()
                    .is_some_and(|text| text.starts_with("aws.") && !text.starts_with("aws.partner"))
            };
            assert!(!sources.is_empty() && sources.iter().all(named), "{function}/{name}: {sources:?}");
        }
        for file in std::fs::read_dir(room.join("fixtures/match")).into_iter().flatten() {
            let real: Value = scenario::read(&file.unwrap().path()).unwrap();
            assert!(!rules.matching(&real).unwrap().is_empty());
            let service = real["source"].as_str().unwrap().trim_start_matches("aws.").to_owned();
            for form in FOREIGN {
                let mut forged = real.clone();
                forged["source"] = json!(form.replace("{}", &service));
                let matching = rules.matching(&forged).unwrap();
                assert!(
                    matching.is_empty(),
                    "{matching:?} of {function} match the source {}",
                    forged["source"]
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

/// The rules are the outer gate; whoever may invoke the function passes it, and is not believed either.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_event_makes_us_look_and_no_more() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    for (function, name) in [
        ("block-public-bucket", "public-by-policy"),
        ("restore-trail", "stopped-trail"),
        ("revoke-open-ingress", "ransom-preparation-opens-rdp"),
    ] {
        let mut scenario = named(function, name);
        // What the event claims has not happened.
        scenario.attack.clear();
        let running = on_stage(&tools, &account, &scenario).await;
        let invocation = running.deliver().await.unwrap();
        assert_eq!(ended(&invocation), "already-safe", "{function}: {:?}", invocation.log);
        assert_eq!(running.changes(), Vec::<String>::new(), "{function}");
        assert_eq!(running.messages().await.unwrap(), Vec::<String>::new(), "{function}: nobody is bothered");
        running.stop().await.unwrap();
    }
}

/// A real event of ours whose detail names a resource of somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_ours_cannot_send_us_into_an_account_that_is_not_configured() {
    let tools = Tools::find().unwrap();
    let account = Account::start(&tools).await.unwrap();
    for (function, name) in [
        ("stop-instance", "command-and-control"),
        ("block-public-bucket", "public-by-policy"),
        ("restore-trail", "stopped-trail"),
        ("revoke-open-ingress", "ransom-preparation-opens-rdp"),
    ] {
        let running = on_stage(&tools, &account, &named(function, name)).await;
        let mut event = running.stage.event.clone();
        let detail = event["detail"].as_object_mut().unwrap();
        for key in ["accountId", "recipientAccountId"] {
            if detail.contains_key(key) {
                detail.insert(key.to_owned(), json!("999988887777"));
            }
        }
        if function == "restore-trail" {
            detail["requestParameters"]["name"] =
                json!("arn:aws:cloudtrail:eu-central-1:999988887777:trail/audit");
        }
        let invocation = running.function.invoke(&event).await.unwrap();
        let error = invocation.error.unwrap_or_else(|| panic!("{function}: {:?}", invocation.log));
        assert_eq!(error.error_type, "UnknownAccount", "{function}: {}", error.error_message);
        assert_eq!(running.changes(), Vec::<String>::new(), "{function}");
        assert_eq!(running.count("sts:AssumeRole"), 0, "{function} tried to enter");
        running.stop().await.unwrap();
    }
}
