//! The explanation on a terminal, or as JSON.

use anstream::println;
use anstyle::{AnsiColor, Style};

use super::answer::{Answer, Explanation, Nearest, Subject};
use super::live::Live;
use super::pattern::Difference;
use crate::failure::Failure;
use crate::rooms;
use crate::words::plain;

const HEAD: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

pub(super) fn json(explanation: &Explanation) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(explanation).map_err(|e| Failure::Failed(e.to_string()))?;
    println!("{text}");
    Ok(())
}

pub(super) fn words(explanation: &Explanation) {
    let event = &explanation.event;
    let place = [&event.account, &event.region].map(|one| one.as_deref().unwrap_or("?")).join("/");
    println!("{}: {}, {}", plain(&event.source), plain(&event.detail_type), plain(&place));
    if event.wrapped {
        println!(
            "{FAINT}It came bare and was put into the envelope that EventBridge would have given it.{FAINT:#}"
        );
    }
    for answer in &explanation.functions {
        function(answer);
    }
}

fn function(answer: &Answer) {
    println!("\n{HEAD}{}{HEAD:#}", answer.function);
    if answer.triggers.is_empty() {
        match &answer.nearest {
            Some(nearest) => differs(nearest),
            None => println!(
                "  No event reaches it: it has no triggers, only a schedule{}.",
                schedule(answer.function)
            ),
        }
        return;
    }
    println!("  Matched by {}. Configuration: {}.", answer.triggers.join(", "), answer.configuration);
    if let Some(why) = &answer.ignored {
        println!("  Nothing is done: {}.", plain(why.trim_end_matches('.')));
    }
    answer.subjects.iter().for_each(subject);
    if answer.subjects.iter().any(|subject| subject.live.is_none()) {
        println!(
            "  Of a subject it may read, by its permissions (with --live it is told which calls are made):"
        );
        for reads in &answer.may_read {
            println!("    {}", reads.actions.join(", "));
            println!("      {FAINT}{}{FAINT:#}", reads.why);
        }
    }
}

fn differs(nearest: &Nearest) {
    let all = nearest.fields_matched + nearest.differences.len();
    println!(
        "  No trigger matches. The nearest, {}, is met in {} of {all} fields, and differs in:",
        nearest.trigger, nearest.fields_matched
    );
    // An event of another service differs in whatever that service does not send.
    let is_envelope = |difference: &&Difference| !difference.field.contains('.');
    let mut shown: Vec<&Difference> = nearest.differences.iter().filter(is_envelope).collect();
    if shown.is_empty() {
        shown = nearest.differences.iter().collect();
    }
    for difference in &shown {
        println!("    {HEAD}{}{HEAD:#}", plain(&difference.field));
        println!("      wanted: {}", difference.wants);
        println!("      is:     {}", difference.has.as_deref().map_or("no such field".to_owned(), plain));
    }
    match nearest.differences.len() - shown.len() {
        0 => {}
        more => println!("    and in {more} more, as events of another kind do"),
    }
}

fn schedule(name: &str) -> String {
    let manifest = rooms::ALL.iter().find(|room| room.name == name).map(|room| room.function);
    let manifest = manifest.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let schedule = manifest.as_ref().and_then(|manifest| manifest.get("schedule")?.as_str());
    schedule.map_or(String::new(), |schedule| format!(", {schedule}"))
}

fn subject(subject: &Subject) {
    println!("  Subject {HEAD}{}{HEAD:#} in {}", plain(&subject.id), plain(&subject.place.to_string()));
    println!("    cause  {}", plain(&subject.cause.what));
    println!("    actor  {}", plain(&subject.actor.to_string()));
    if let (Some(proven), None) = (&subject.proven, &subject.live) {
        println!("    The event alone shows that it would act: {}", plain(proven));
    }
    match &subject.live {
        None => {}
        Some(Live::Failed { error, calls }) => {
            let bad = AnsiColor::Red.on_default().bold();
            println!("    {bad}could not be looked at{bad:#}: {}", plain(error));
            asked(calls);
        }
        Some(Live::Seen { verdict, why, then, notes, plan, calls }) => {
            let style = if matches!(*verdict, "act" | "announce") {
                AnsiColor::Yellow.on_default()
            } else {
                Style::new()
            };
            println!("    {style}{verdict}{style:#}: {}", plain(why));
            for change in plan {
                println!("      - {}", plain(&change.summary));
                println!("          before  {}", plain(&change.before));
                println!("          after   {}", plain(&change.after));
            }
            for note in notes {
                println!("    note   {}", plain(note));
            }
            println!("    {then}; nothing was changed by this command");
            asked(calls);
        }
    }
}

fn asked(calls: &[String]) {
    if !calls.is_empty() {
        println!("    {FAINT}read by {}{FAINT:#}", calls.join(", "));
    }
}
