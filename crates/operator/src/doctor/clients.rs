//! The services that the checks ask.

use crate::aws::Aws;

/// One client for each, of the functions' own account and region.
pub(super) struct Clients {
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) events: aws_sdk_eventbridge::Client,
    pub(super) scheduler: aws_sdk_scheduler::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) sns: aws_sdk_sns::Client,
}

impl Clients {
    pub(super) fn new(aws: &Aws) -> Self {
        let sdk = aws.config();
        Self {
            lambda: aws_sdk_lambda::Client::new(&sdk),
            events: aws_sdk_eventbridge::Client::new(&sdk),
            scheduler: aws_sdk_scheduler::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            logs: aws_sdk_cloudwatchlogs::Client::new(&sdk),
            iam: aws_sdk_iam::Client::new(&sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            sns: aws_sdk_sns::Client::new(&sdk),
        }
    }
}
