//! The errors of the pipeline. Each says what happened to which resource and what to do about it; each has a stable
//! kind, which reaches Lambda's `errorType` and alarms can count.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lambda_runtime::Diagnostic;

/// What can go wrong in a run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The event is not what its source sends.
    #[error(
        "malformed event: {field}: {problem}. Nothing was changed; the event is kept in the dead-letter queue."
    )]
    MalformedEvent {
        /// Path of the field, such as `detail.severity`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The configuration of the function is wrong.
    #[error("configuration: {key}: {problem}. Mend TOURNIQUET_CONFIG of the function.")]
    Settings {
        /// Path of the key, such as `settings.min_severity`.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The event is about, or claims to come from, an account that the configuration does not allow.
    #[error(
        "account {account} ({field}) is neither this function's nor listed in `accounts`. Nothing was changed; add \
         it to `accounts` and create its member role if it is yours."
    )]
    UnknownAccount {
        /// The account.
        account: String,
        /// The field of the event that named it.
        field: &'static str,
    },
    /// AWS refused or failed a call.
    #[error("{call}: {code}: {message}")]
    Aws {
        /// The action as IAM names it, such as `ec2:StopInstances`.
        call: &'static str,
        /// AWS's error code, or the kind of transport failure.
        code: String,
        /// AWS's words.
        message: String,
        /// What follows from it.
        class: Class,
    },
    /// AWS answered with something that its documentation rules out.
    #[error("{call}: the answer lacks {missing}. Nothing was concluded from it.")]
    Unexpected {
        /// The action as IAM names it.
        call: &'static str,
        /// What should have been there.
        missing: &'static str,
    },
    /// The record of this run was taken over by another run.
    #[error("record {record} was taken over by another run, which goes on with it; this run stopped.")]
    LostRecord {
        /// The record's id.
        record: String,
    },
    /// At least one subject of the event ended partial or failed.
    #[error("{message}")]
    Unfinished {
        /// `Partial` or `Failed`.
        kind: &'static str,
        /// One sentence for each such subject.
        message: String,
    },
}

/// What follows from a failed AWS call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// The resource named in the call does not exist.
    NotFound,
    /// A policy forbids it. Trying again does not help.
    Denied,
    /// AWS asked us to slow down, still after all attempts.
    Throttled,
    /// No answer, a broken answer or a server error, after all attempts. The call may have had its effect.
    Unavailable,
    /// AWS says that the request is wrong for the resource as it is.
    Rejected,
}

impl Error {
    /// The stable kind, for `errorType`, metrics and alarms.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MalformedEvent { .. } => "MalformedEvent",
            Self::Settings { .. } => "Settings",
            Self::UnknownAccount { .. } => "UnknownAccount",
            Self::Aws { class: Class::NotFound, .. } => "NotFound",
            Self::Aws { class: Class::Denied, .. } => "Denied",
            Self::Aws { class: Class::Throttled, .. } => "Throttled",
            Self::Aws { class: Class::Unavailable, .. } => "Unavailable",
            Self::Aws { class: Class::Rejected, .. } => "Rejected",
            Self::Unexpected { .. } => "Unexpected",
            Self::LostRecord { .. } => "LostRecord",
            Self::Unfinished { kind, .. } => kind,
        }
    }

    /// The class of a failed AWS call.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Aws { class, .. } => Some(*class),
            _ => None,
        }
    }

    /// AWS's error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Aws { code, .. } => Some(code),
            _ => None,
        }
    }

    /// A malformed event, with the path of its field.
    pub fn event(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::MalformedEvent { field: field.into(), problem: problem.into() }
    }
}

/// Names the failed call and files it under what follows from it.
///
/// To be used as `.map_err(|e| aws("ec2:StopInstances", e))`. The SDK's own message holds the raw response with its
/// headers, which do not belong into a log.
#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` gives it")]
pub fn aws<E>(call: &'static str, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|r| r.status().as_u16());
    let (code, message) = match (error.code(), &error) {
        (Some(code), _) => (code.to_owned(), error.message().unwrap_or_default().to_owned()),
        (None, SdkError::TimeoutError(_)) => {
            ("Timeout".to_owned(), "no answer in time, after all attempts".to_owned())
        }
        (None, SdkError::DispatchFailure(f)) => {
            let cause = f.as_connector_error().map_or_else(String::new, |c| innermost(c));
            ("ConnectionFailed".to_owned(), cause)
        }
        (None, _) => match status {
            Some(status) if status >= 500 => {
                (format!("Http{status}"), "server error without a readable body".to_owned())
            }
            Some(status) => (format!("Http{status}"), "an answer that cannot be read".to_owned()),
            None => ("NoAnswer".to_owned(), "the call was not answered".to_owned()),
        },
    };
    let class = classify(&code, status);
    let message = if is_skewed(&code) { format!("{message}; {SKEWED}") } else { message };
    Error::Aws { call, code, message, class }
}

/// AWS refuses a signature whose time is more than five minutes from its own, S3 fifteen.
const SKEWED: &str = "the clock of this process and AWS's may differ by minutes, and the call had no effect; Lambda's retry repairs \
     that by itself, on a machine of your own set the clock";

/// Whether a code may stand for a clock that is wrong: each service has its own, and DynamoDB's stands for other faults too.
fn is_skewed(code: &str) -> bool {
    matches!(
        code,
        "RequestTimeTooSkewed"
            | "RequestExpired"
            | "RequestInTheFuture"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
    )
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn classify(code: &str, status: Option<u16>) -> Class {
    let bare = code.strip_prefix("Client.").or_else(|| code.strip_prefix("Server.")).unwrap_or(code);
    if matches!(
        bare,
        "RequestLimitExceeded" | "SlowDown" | "EC2ThrottledException" | "PriorRequestNotComplete"
    ) || bare.contains("Throttl")
        || bare.starts_with("TooManyRequests")
        || bare == "ProvisionedThroughputExceededException"
        || status == Some(429)
    {
        return Class::Throttled;
    }
    if bare.starts_with("AccessDenied")
        || bare.starts_with("UnauthorizedOperation")
        || matches!(
            bare,
            "AuthFailure" | "OptInRequired" | "UnauthorizedAccess" | "ExpiredToken" | "InvalidClientTokenId"
        )
    {
        return Class::Denied;
    }
    if bare.ends_with(".NotFound") || bare.contains("NotFound") || bare.starts_with("NoSuch") {
        return Class::NotFound;
    }
    match status {
        Some(400..=499) => Class::Rejected,
        _ => Class::Unavailable,
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.kind().to_owned(), error_message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_filed_under_what_follows_from_them() {
        for (code, status, class) in [
            ("RequestLimitExceeded", 503, Class::Throttled),
            ("Throttling", 400, Class::Throttled),
            ("ThrottlingException", 400, Class::Throttled),
            ("ProvisionedThroughputExceededException", 400, Class::Throttled),
            ("AccessDenied", 403, Class::Denied),
            ("AccessDeniedException", 400, Class::Denied),
            ("Client.UnauthorizedOperation", 403, Class::Denied),
            ("InvalidInstanceID.NotFound", 400, Class::NotFound),
            ("TargetGroupNotFound", 400, Class::NotFound),
            ("NoSuchEntity", 404, Class::NotFound),
            ("IncorrectInstanceState", 400, Class::Rejected),
            ("RequestTimeTooSkewed", 403, Class::Rejected),
            ("InvalidSignatureException", 400, Class::Rejected),
            ("InternalError", 500, Class::Unavailable),
        ] {
            assert_eq!(classify(code, Some(status)), class, "{code}");
        }
        assert_eq!(classify("Timeout", None), Class::Unavailable);
    }

    #[tokio::test]
    async fn g15_a_clock_that_is_wrong_says_what_to_do() {
        let http = aws_smithy_http_client::test_util::infallible_client_fn(|_| {
            let answer = r#"{"__type": "com.amazon.coral.service#InvalidSignatureException", "message": "Signature expired"}"#;
            let body = aws_smithy_types::body::SdkBody::from(answer);
            http::Response::builder().status(400).body(body).unwrap()
        });
        let client = aws_sdk_dynamodb::Client::new(&crate::sdk::offline(http, "eu-central-1", None));
        let read = crate::journal::partition_of(&client, "t", "x").await.unwrap_err();
        assert_eq!(read.class(), Some(Class::Rejected));
        let said = read.to_string();
        assert!(said.contains("Signature expired; the clock") && said.contains("set the clock"), "{said}");
    }

    #[test]
    fn the_kind_reaches_lambda() {
        let diagnostic = Diagnostic::from(Error::event("detail.severity", "expected a number"));
        assert_eq!(diagnostic.error_type, "MalformedEvent");
        assert!(diagnostic.error_message.contains("detail.severity"));
    }
}
