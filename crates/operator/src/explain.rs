//! `tourniquet explain`: one event, which functions answer it, and what they would do.
//!
//! Offline it reads what the event says: triggers, subjects, and what the room may read of them. With `--live` it looks at
//! the resources with the operator's own credentials and decides as the function would; it changes and records nothing.

mod answer;
mod input;
mod live;
mod pattern;
mod print;
mod reads;
mod recorder;

use std::path::PathBuf;

use tourniquet::{Event, Subjects};

use self::answer::{Answer, Explanation, Nearest, Subject, Summary};
use self::input::Input;
use self::live::{Eyes, Source};
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::functions::{self, Function};
use crate::rooms::{self, Room};
use crate::triggers::Triggers;

/// Says which functions answer an event, and what they would do about it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --live nothing is asked of AWS, and functions are taken to have their default settings, unless --config says \
otherwise. With it the resources are read with your own credentials, the configuration and the journal are those that are \
deployed, and the function decides as it would now; nothing is changed and nothing is recorded.

Examples:
  tourniquet explain finding.json
  aws guardduty get-findings --detector-id ID --finding-ids ID | tourniquet explain -
  tourniquet explain event.json --function stop-instance --live")]
pub struct Args {
    /// An EventBridge event, a bare GuardDuty finding or a bare CloudTrail record, as JSON; `-` is standard input.
    #[arg(value_name = "EVENT.json")]
    event: PathBuf,
    /// Only this function. May be given again.
    #[arg(long, value_name = "NAME")]
    function: Vec<String>,
    /// Looks at the resources in AWS now, and prints the verdict and the exact plan.
    #[arg(long)]
    live: bool,
    /// A JSON object with the configuration of each function by its name, instead of what is deployed.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let rooms = rooms::chosen(&args.function)?;
    let input = input::read(&args.event)?;
    if input.event.is_schedule() {
        return Err(Failure::Usage(
            "this is what a schedule sends: it makes its function sweep over everything, whatever the triggers; there is no \
             subject to explain"
                .to_owned(),
        ));
    }
    let eyes = if args.live { Some(Eyes::new(Aws::connect(options).await?)) } else { None };
    let source = match &args.config {
        Some(path) => Source::file(path)?,
        None if args.live => Source::Deployed,
        None => Source::Defaults,
    };
    let triggers = Triggers::all()?.matching(input.json.to_string().as_bytes())?;
    let mut functions = Vec::new();
    for room in rooms {
        let matching: Vec<_> =
            triggers.iter().filter(|(name, _)| *name == room.name).map(|(_, one)| *one).collect();
        functions.push(answer(room, &input, matching, &source, eyes.as_ref()).await?);
    }
    let explanation = Explanation { event: summary(&input), functions };
    if args.json {
        print::json(&explanation)?;
    } else {
        print::words(&explanation);
    }
    match explanation.failures() {
        0 => Ok(Done::Well),
        count => {
            Err(Failure::Partial(format!("{count} subjects could not be looked at; the reasons are above")))
        }
    }
}

fn summary(input: &Input) -> Summary {
    let event = &input.event;
    Summary {
        source: event.source().to_owned(),
        detail_type: event.detail_type().to_owned(),
        account: event.account().map(str::to_owned),
        region: event.region().map(str::to_owned),
        id: event.id().map(str::to_owned),
        wrapped: input.wrapped,
    }
}

async fn answer(
    room: &'static Room,
    input: &Input,
    triggers: Vec<&'static str>,
    source: &Source,
    eyes: Option<&Eyes>,
) -> Result<Answer, Failure> {
    let (config, configuration) = if triggers.is_empty() {
        (None, "not needed".to_owned())
    } else {
        source.of(room.name, eyes.map(|eyes| &eyes.aws)).await?
    };
    let known = config.is_some();
    let function = functions::one(room.name, config.as_deref())?;
    let mut answer = Answer {
        function: room.name,
        configuration,
        mode: function.mode(),
        nearest: if triggers.is_empty() { nearest(room, input)? } else { None },
        triggers,
        ignored: None,
        subjects: Vec::new(),
        may_read: Vec::new(),
    };
    if !answer.triggers.is_empty() {
        named(function.as_ref(), &input.event, known, eyes, &mut answer).await;
        answer.may_read = if answer.subjects.is_empty() { Vec::new() } else { reads::of(room)? };
    }
    Ok(answer)
}

/// What the event names for a function that gets it.
async fn named(
    function: &dyn Function,
    event: &Event,
    known: bool,
    eyes: Option<&Eyes>,
    answer: &mut Answer,
) {
    let foreign = event.account().filter(|account| known && !function.facts().allows(account));
    if let Some(account) = foreign {
        answer.ignored = Some(format!(
            "account {account} (account of the envelope) is neither the function's nor in its `accounts`: the run fails"
        ));
        return;
    }
    match function.subjects(event) {
        // What the function would answer to Lambda, too.
        Err(error) => answer.ignored = Some(format!("the run fails: {error}")),
        Ok(Subjects::Ignored { why }) => answer.ignored = Some(why),
        Ok(Subjects::Attempted { account, why }) => {
            answer.ignored =
                Some(format!("{why}; the next sweep tells of it, with all that were refused in {account}"));
        }
        Ok(Subjects::Named(leads)) => {
            for lead in leads {
                let proven = function.proven(event, &lead);
                match eyes {
                    None => answer.subjects.push(Subject::of(&lead, proven, None)),
                    Some(eyes) => {
                        let looked = eyes.look(function, known, &lead).await.into_iter();
                        answer.subjects.extend(
                            looked.map(|(lead, live)| Subject::of(&lead, proven.clone(), Some(live))),
                        );
                    }
                }
            }
        }
    }
}

/// The trigger of a room of which an event meets most fields.
fn nearest(room: &Room, input: &Input) -> Result<Option<Nearest>, Failure> {
    let mut all = Vec::new();
    for (name, pattern) in room.triggers {
        let pattern = serde_json::from_str(pattern)
            .map_err(|e| Failure::Failed(format!("trigger {name} of {}: {e}", room.name)))?;
        let compared = pattern::compare(&pattern, &input.json);
        all.push(Nearest {
            trigger: name,
            fields_matched: compared.matched,
            differences: compared.differences,
        });
    }
    all.sort_by_key(|one| (std::cmp::Reverse(one.fields_matched), one.differences.len()));
    Ok(all.into_iter().next())
}
