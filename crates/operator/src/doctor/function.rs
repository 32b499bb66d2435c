//! The function itself: there, active, configured, of the size that its room says, and not switched off.

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{LastUpdateStatus, State};
use tourniquet::error::aws;
use tourniquet::{Mode, settings};

use super::check::{APPLY, Check};
use super::{Clients, Manifest, Patient};
use crate::functions::{self, Function};

/// State and size.
pub(super) fn there(lambda: &GetFunctionConfigurationOutput, manifest: &Manifest) -> Check {
    let about = "function";
    let reason = |text: Option<&str>| text.map_or(String::new(), |text| format!(": {text}"));
    match lambda.state() {
        None | Some(State::Active) => {}
        Some(state) => {
            return Check::problem(
                about,
                format!("it is {state}{}", reason(lambda.state_reason())),
                "wait if it is Pending; if not, mend what the reason names and apply Terraform again",
            );
        }
    }
    if lambda.last_update_status() == Some(&LastUpdateStatus::Failed) {
        return Check::problem(
            about,
            format!("its last update failed{}", reason(lambda.last_update_status_reason())),
            "mend what the reason names and apply Terraform again; until then the code before it runs",
        );
    }
    let deployed = (lambda.memory_size(), lambda.timeout());
    if deployed != (Some(manifest.memory_mb), Some(manifest.timeout_s)) {
        let number = |value: Option<i32>| value.map_or("?".to_owned(), |value| value.to_string());
        return Check::warning(
            about,
            format!(
                "it has {} MB and {} s, function.json says {} MB and {} s: another version may be deployed",
                number(deployed.0),
                number(deployed.1),
                manifest.memory_mb,
                manifest.timeout_s
            ),
            APPLY,
        );
    }
    Check::ok(about, format!("active, {} MB, {} s", manifest.memory_mb, manifest.timeout_s))
}

/// The configuration read as the function reads it, and its mode.
pub(super) fn configuration(
    patient: &Patient,
    lambda: &GetFunctionConfigurationOutput,
) -> (Vec<Check>, Option<Box<dyn Function>>) {
    let about = "configuration";
    let Some(raw) = &patient.config else {
        let hidden = lambda
            .environment()
            .and_then(|environment| environment.error())
            .and_then(|error| error.message());
        let check = match hidden {
            Some(why) => Check::unseen(
                about,
                format!("could not look: {why}"),
                "allow kms:Decrypt with the function's key to the role or user that you are",
            ),
            None => Check::problem(
                about,
                format!("it has no {}, and fails at every event", settings::VARIABLE),
                APPLY,
            ),
        };
        return (vec![check], None);
    };
    match functions::one(patient.room.name, Some(raw)) {
        Err(failure) => {
            let advice = "mend that key in `functions` or `settings` of Terraform and apply it; until then every event fails";
            (vec![Check::problem(about, failure.to_string(), advice)], None)
        }
        Ok(function) => {
            let facts = function.facts();
            let mut checks = vec![Check::ok(about, "is read without an error")];
            if facts.account != patient.home.account {
                checks.push(Check::problem(
                    about,
                    format!("`account` is {}, and this is {}", facts.account, patient.home.account),
                    APPLY,
                ));
            }
            if facts.own_role.as_deref() != lambda.role() {
                checks.push(Check::problem(
                    about,
                    format!(
                        "`own_role` is {}, and its role is {}: it takes its own changes for an attacker's",
                        facts.own_role.as_deref().unwrap_or("not said"),
                        lambda.role().unwrap_or("unknown")
                    ),
                    APPLY,
                ));
            }
            checks.push(Check::ok(
                "mode",
                match function.mode() {
                    Mode::Enforce => format!(
                        "enforce: it contains, at most {} an hour and account",
                        facts.changes_per_hour
                    ),
                    Mode::Observe => "observe: it records what it would do and changes nothing".to_owned(),
                },
            ));
            (checks, Some(function))
        }
    }
}

/// Whether Lambda lets it run at all.
pub(super) async fn concurrency(patient: &Patient, clients: &Clients) -> Vec<Check> {
    let about = "concurrency";
    let asked = clients.lambda.get_function_concurrency().function_name(&patient.name).send().await;
    vec![match asked.map_err(|e| aws("lambda:GetFunctionConcurrency", e)) {
        Err(error) => Check::refused(about, &error),
        Ok(found) => match found.reserved_concurrent_executions() {
            Some(0) => Check::problem(
                about,
                "0 are reserved: it is switched off",
                format!("aws lambda delete-function-concurrency --function-name {}", patient.name),
            ),
            Some(number) => Check::ok(about, format!("{number} reserved")),
            None => Check::ok(about, "not limited"),
        },
    }]
}
