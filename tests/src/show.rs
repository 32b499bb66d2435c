//! The drill on a terminal: a line while each scenario runs, what the function did, and a table at the end.
//!
//! Colours only on a terminal, and not with `NO_COLOR`.

use std::env;
use std::io::{self, IsTerminal, Write};

use crate::fault::Kind;
use crate::run::Played;
use crate::scenario::Scenario;

/// Writes to standard output.
#[derive(Clone, Copy, Debug)]
pub struct Show {
    colours: bool,
    live: bool,
}

impl Default for Show {
    fn default() -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            colours: terminal && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            live: terminal,
        }
    }
}

/// As many of a list as one can read, and how many more there are: some scenarios have thousands of subjects.
pub(crate) fn few<T>(all: &[T]) -> (&[T], Option<String>) {
    const SHOWN: usize = 24;
    let (shown, rest) = all.split_at(all.len().min(SHOWN));
    (shown, (!rest.is_empty()).then(|| format!("and {} more", rest.len())))
}

/// The beginning of a long text.
pub(crate) fn brief(text: &str, shown: usize) -> String {
    let start: String = text.chars().take(shown).collect();
    if start.len() < text.len() { start + " …" } else { start }
}

impl Show {
    /// Says which scenario is running; the line is overwritten by its result, so it is only for a terminal.
    pub fn begin(self, title: &str) -> io::Result<()> {
        if self.live {
            print(&format!("  … {title}"))?;
        }
        Ok(())
    }

    /// Says what happened in a scenario.
    pub fn end(self, played: &Played) -> io::Result<()> {
        let mark = self.mark(played);
        let clear = if self.live { "\r\x1b[2K" } else { "" };
        let mut lines = vec![format!("{clear}  {mark} {}", self.paint(&played.title, "1"))];
        lines.extend(played.story.iter().map(|line| format!("      {}", self.paint(line, "2"))));
        let end = format!("      {} {} {}", played.function, self.outcome(&played.outcome), speed(played));
        lines.push(end.trim_end().to_owned());
        lines.extend((!played.why.is_empty()).then(|| format!("        {}", brief(&played.why, 600))));
        let (changes, more) = few(&played.changes);
        let point = |text: &str| format!("        {} {text}", self.paint("•", "36"));
        lines.extend(changes.iter().map(|change| point(&change.summary)));
        lines.extend(more.map(|more| point(&more)));
        lines.extend(played.failures.iter().map(|failure| format!("        {}", self.paint(failure, "31"))));
        print(&(lines.join("\n") + "\n"))
    }

    /// The scenarios that there are.
    pub fn list(self, all: &[Scenario]) -> io::Result<()> {
        let lines = all
            .iter()
            .map(|one| format!("{}/{}\n    {}\n", one.function, one.name, self.paint(&one.title, "2")));
        print(&lines.collect::<String>())
    }

    /// Everything that was seen.
    pub fn json(self, all: &[Played]) -> io::Result<()> {
        print(&format!("{}\n", serde_json::to_string_pretty(all)?))
    }

    /// A remark at the end.
    pub fn note(self, text: &str) -> io::Result<()> {
        print(&format!("  {}\n", self.paint(text, "2")))
    }

    /// The table and the sentence at the end.
    pub fn table(self, all: &[Played]) -> io::Result<()> {
        let head = ["scenario", "outcome", "contained after", "round trips", "calls"].map(str::to_owned);
        let rows: Vec<[String; 5]> = all.iter().map(row).collect();
        let mut widths = head.clone().map(|cell| cell.chars().count());
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut lines = vec![String::new(), format!("    {}", self.paint(&line(&head, &widths), "2"))];
        let marked = rows
            .iter()
            .zip(all)
            .map(|(row, played)| format!("  {} {}", self.mark(played), line(row, &widths)));
        lines.extend(marked);
        let failed = all.iter().filter(|played| !played.passed).count();
        let sum = match failed {
            0 => self.paint(&format!("all {} scenarios ended as declared", all.len()), "32"),
            _ => self.paint(&format!("{failed} of {} scenarios did not end as declared", all.len()), "31;1"),
        };
        lines.push(format!("\n  {sum}\n"));
        print(&lines.join("\n"))
    }

    fn mark(self, played: &Played) -> String {
        if played.passed { self.paint("✔", "32") } else { self.paint("✘", "31;1") }
    }

    fn outcome(self, outcome: &str) -> String {
        let colour = match outcome {
            "contained" | "already-safe" => "32",
            "partial" | "failed" | "error" | "killed" => "31",
            "held" | "exempt" | "observed" => "33",
            _ => "36",
        };
        self.paint(outcome, colour)
    }

    fn paint(self, text: &str, code: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn row(played: &Played) -> [String; 5] {
    [
        format!("{}/{}", played.function, played.name),
        played.outcome.clone(),
        played.contained_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0} ms")),
        played.round_trips.map_or_else(|| "–".to_owned(), |trips| trips.to_string()),
        played.total_calls.to_string(),
    ]
}

fn line(cells: &[String; 5], widths: &[usize; 5]) -> String {
    let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    padded.collect::<Vec<_>>().join("   ").trim_end().to_owned()
}

/// Such as `after 41 ms, in 3 round trips`.
#[must_use]
pub fn speed(played: &Played) -> String {
    match (played.contained_ms, played.round_trips) {
        (Some(ms), Some(1)) => format!("after {ms:.0} ms, in one round trip"),
        (Some(ms), Some(trips)) => format!("after {ms:.0} ms, in {trips} round trips"),
        _ => String::new(),
    }
}

/// A fault in a word.
#[must_use]
pub fn fault(kind: Kind) -> &'static str {
    match kind {
        Kind::Throttle => "throttled",
        Kind::Error500 => "failed",
        Kind::Deny => "denied",
        Kind::Reset => "connection reset",
        Kind::Hang => "never answered",
        Kind::Slow => "answered too late",
        Kind::Html => "answered with a web page",
        Kind::Empty => "answered with nothing",
        Kind::Other => "answered with something else",
        Kind::Cut => "answer cut short",
        Kind::Stale => "an old answer",
        Kind::KillBefore => "killed before it",
        Kind::KillAfter => "killed after it",
    }
}

/// Standard output may be a pipe that is closed; the caller ends then.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
