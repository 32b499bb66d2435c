//! Where events end that were not answered: the queues are there, empty, and what fails goes there.

use aws_sdk_sqs::types::QueueAttributeName as Attribute;
use futures_util::future::join3;
use tourniquet::error::{Class, Error, aws};

use super::check::{APPLY, Check};
use super::{Clients, Patient};

pub(super) async fn checks(patient: &Patient, clients: &Clients) -> Vec<Check> {
    let failed = queue(patient, clients, "failed", "events that it failed at three times");
    let undelivered = queue(patient, clients, "undelivered", "events that could not be handed to it");
    let (failed, undelivered, kept) = join3(failed, undelivered, kept(patient, clients)).await;
    vec![failed, undelivered, kept]
}

async fn queue(patient: &Patient, clients: &Clients, kind: &str, holds: &str) -> Check {
    let about = format!("queue {kind}");
    let name = format!("{}-{kind}", patient.name);
    match count(clients, &name).await {
        Ok((0, _)) => Check::ok(about, "empty"),
        Ok((messages, url)) => Check::problem(
            about,
            format!("{messages} {holds} are in {name}"),
            format!(
                "read them (aws sqs receive-message --queue-url {url}), mend the cause, then send them to the function again and delete them"
            ),
        ),
        Err(error) if is_missing(&error) => {
            Check::problem(about, format!("there is no queue {name}: {holds} are lost"), APPLY)
        }
        Err(error) => Check::refused(about, &error),
    }
}

/// How many messages there are, those too that somebody is reading just now; and the queue's URL.
async fn count(clients: &Clients, name: &str) -> Result<(u64, String), Error> {
    let found =
        clients.sqs.get_queue_url().queue_name(name).send().await.map_err(|e| aws("sqs:GetQueueUrl", e))?;
    let url = found.queue_url().unwrap_or_default().to_owned();
    let counts = [
        Attribute::ApproximateNumberOfMessages,
        Attribute::ApproximateNumberOfMessagesNotVisible,
        Attribute::ApproximateNumberOfMessagesDelayed,
    ];
    let asked = clients
        .sqs
        .get_queue_attributes()
        .queue_url(&url)
        .set_attribute_names(Some(counts.to_vec()))
        .send()
        .await;
    let found = asked.map_err(|e| aws("sqs:GetQueueAttributes", e))?;
    let attributes = found.attributes().into_iter().flatten();
    let counts = attributes
        .filter(|(name, _)| counts.contains(name))
        .filter_map(|(_, value)| value.parse::<u64>().ok());
    Ok((counts.sum(), url))
}

fn is_missing(error: &Error) -> bool {
    let code = error.code().unwrap_or_default();
    code.contains("NonExistentQueue") || code.contains("QueueDoesNotExist")
}

/// Whether Lambda puts what failed into the queue.
async fn kept(patient: &Patient, clients: &Clients) -> Check {
    let about = "events that fail";
    let queue = patient.home.arn("sqs", &format!("{}-failed", patient.name));
    let asked = clients.lambda.get_function_event_invoke_config().function_name(&patient.name).send().await;
    let lost = |found: String| Check::problem(about, found, APPLY);
    match asked.map_err(|e| aws("lambda:GetFunctionEventInvokeConfig", e)) {
        Ok(found) => {
            let goes =
                found.destination_config().and_then(|all| all.on_failure()).and_then(|one| one.destination());
            match goes {
                Some(arn) if arn == queue => Check::ok(about, "are kept in the queue failed"),
                Some(arn) => lost(format!("go to {arn}, not to {queue}")),
                None => lost("are lost: no destination is set".to_owned()),
            }
        }
        Err(error) if error.class() == Some(Class::NotFound) => {
            lost("are lost: no destination is set".to_owned())
        }
        Err(error) => Check::refused(about, &error),
    }
}
