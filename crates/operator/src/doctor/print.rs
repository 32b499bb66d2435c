//! The checks on a terminal, or as JSON.

use anstream::println;
use anstyle::{AnsiColor, Style};
use serde_json::json;
use tourniquet::Place;

use super::check::{Check, State};
use crate::failure::Failure;
use crate::words::plain;

const HEAD: Style = Style::new().bold();

pub(super) fn json(home: &Place, checks: &[Check]) -> Result<(), Failure> {
    let all = json!({"account": home.account, "region": home.region, "checks": checks});
    let text = serde_json::to_string_pretty(&all).map_err(|e| Failure::Failed(e.to_string()))?;
    println!("{text}");
    Ok(())
}

pub(super) fn words(home: &Place, checks: &[Check]) {
    println!("Tourniquet in {home}");
    for about in checks.chunk_by(|one, other| one.function == other.function) {
        let name = about.first().and_then(|check| check.function).unwrap_or("all functions");
        println!("\n{HEAD}{name}{HEAD:#}");
        let width = about.iter().map(|check| check.about.chars().count()).max().unwrap_or(0);
        for check in about {
            let (style, word) = word(check.state);
            println!("  {style}{word:<8}{style:#} {:<width$}  {}", plain(&check.about), plain(&check.found));
            if let Some(advice) = &check.advice {
                println!("  {:<8} {:<width$}  what to do: {}", "", "", plain(advice));
            }
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    println!(
        "\nok: {}, warnings: {}, problems: {}, could not be looked at: {}",
        count(State::Ok),
        count(State::Warning),
        count(State::Problem),
        count(State::Unseen)
    );
}

fn word(state: State) -> (Style, &'static str) {
    match state {
        State::Ok => (AnsiColor::Green.on_default(), "ok"),
        State::Warning => (AnsiColor::Yellow.on_default(), "warning"),
        State::Problem => (AnsiColor::Red.on_default().bold(), "problem"),
        State::Unseen => (AnsiColor::Yellow.on_default(), "unseen"),
    }
}
