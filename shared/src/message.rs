//! The message to people: plain text for mail, or the custom notification schema of Amazon Q Developer in chat
//! applications. Both are kept below SNS's limit by shortening the list of changes, which the message then says.

use serde_json::json;

use crate::report::Report;
use crate::settings::Format;
use crate::text::plain;

/// SNS takes 262,144 bytes for a message with its attributes; the rest is room for them.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const LIMIT: usize = 250_000;
/// SNS takes at most 100 characters of printable ASCII as a subject.
const SUBJECT_LIMIT: usize = 100;
/// How long a single value may be.
const VALUE_LIMIT: usize = 2_000;

/// A message's subject line and body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// For mail.
    pub subject: String,
    /// Text or JSON.
    pub body: String,
}

impl Message {
    /// The message of a report.
    #[must_use]
    pub fn of(report: &Report, format: Format) -> Self {
        let mut shown = report.changes.len();
        loop {
            let body = match format {
                Format::Text => text(report, shown),
                Format::Chat => chat(report, shown),
            };
            if body.len() <= LIMIT || shown == 0 {
                return Self { subject: subject(report), body };
            }
            shown /= 2;
        }
    }
}

impl Message {
    /// The messages of many reports, each with how many of them it tells: one line a report, as few messages as fit.
    #[must_use]
    pub fn digest(reports: &[&Report], format: Format) -> Vec<(Self, usize)> {
        let Some(first) = reports.first() else { return Vec::new() };
        let mut all = Vec::new();
        let mut lines: Vec<String> = Vec::new();
        let mut size = 0;
        for report in reports {
            let line = digest_line(report);
            let length = match format {
                Format::Text => line.len() + 1,
                Format::Chat => json!(escape(&line)).to_string().len(),
            };
            // Some room for what stands around the lines.
            if size + length > LIMIT - 1_000 && !lines.is_empty() {
                all.push(std::mem::take(&mut lines));
                size = 0;
            }
            size += length;
            lines.push(line);
        }
        all.push(lines);
        let parts = all.len();
        let message = |(n, lines): (usize, Vec<String>)| {
            let part = if parts > 1 { format!(", part {} of {parts}", n + 1) } else { String::new() };
            let title = format!("{}: {} reports{part}", first.function, reports.len());
            let body = match format {
                Format::Text => format!("{title}\n\n{}\n", lines.join("\n")),
                Format::Chat => json!({
                    "version": "1.0",
                    "source": "custom",
                    "content": {
                        "textType": "client-markdown",
                        "title": title,
                        "description": lines.iter().map(|l| escape(l)).collect::<Vec<_>>().join("\n"),
                        "keywords": [first.function],
                    },
                })
                .to_string(),
            };
            (Self { subject: printable(&format!("[Tourniquet] {title}")), body }, lines.len())
        };
        all.into_iter().enumerate().map(message).collect()
    }
}

fn digest_line(report: &Report) -> String {
    let place = report.account.as_deref().unwrap_or("no account");
    let what = clip(report.subject.as_deref().unwrap_or("event"));
    let mut line = format!("- {}: {what} ({place}): {}", report.outcome, clip(&report.why));
    for note in &report.notes {
        line = format!("{line}; {}", clip(note));
    }
    if let Some(undo) = &report.undo {
        line = format!("{line}; to take it back: {}", plain(undo));
    }
    line
}

fn subject(report: &Report) -> String {
    let what = report.subject.as_deref().unwrap_or("event");
    printable(&format!("[Tourniquet] {}: {} {}", report.outcome, report.function, what))
}

fn printable(line: &str) -> String {
    line.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(SUBJECT_LIMIT).collect()
}

fn text(report: &Report, shown: usize) -> String {
    let mut lines =
        vec![format!("{}: {}", report.outcome.word().to_uppercase(), clip(&report.why)), String::new()];
    for (label, value) in facts(report) {
        lines.push(format!("{label:<10} {}", clip(&value)));
    }
    if !report.changes.is_empty() {
        lines.extend([String::new(), heading(report).to_owned()]);
        lines.extend(changes(report, shown).map(|c| format!("  - {c}")));
    }
    if !report.notes.is_empty() {
        lines.extend([String::new(), "To know".to_owned()]);
        lines.extend(report.notes.iter().map(|n| format!("  - {}", clip(n))));
    }
    if let Some(undo) = &report.undo {
        lines.extend([String::new(), "To take it back".to_owned(), format!("  {}", plain(undo))]);
    }
    lines.join("\n") + "\n"
}

/// <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>
fn chat(report: &Report, shown: usize) -> String {
    let mut description: Vec<String> =
        facts(report).map(|(label, value)| format!("*{label}* {}", escape(&clip(&value)))).collect();
    if !report.changes.is_empty() {
        description.push(format!("*{}*", heading(report)));
        description.extend(changes(report, shown).map(|c| format!("• {}", escape(&c))));
    }
    description.extend(report.notes.iter().map(|n| format!("• {}", escape(&clip(n)))));
    let undo = report
        .undo
        .iter()
        .map(|undo| format!("Take it back: `{}`", plain(undo).replace('`', "'")))
        .collect::<Vec<_>>();
    json!({
        "version": "1.0",
        "source": "custom",
        "id": report.record,
        "content": {
            "textType": "client-markdown",
            "title": format!("{}: {}", report.outcome.word(), escape(&clip(&report.why))),
            "description": description.join("\n"),
            "nextSteps": undo,
            "keywords": [report.function, report.outcome.word()],
        },
        "metadata": {"threadId": report.record, "eventType": report.function},
    })
    .to_string()
}

fn facts(report: &Report) -> impl Iterator<Item = (&'static str, String)> + '_ {
    let place =
        report.account.as_ref().map(|a| format!("{a}, {}", report.region.as_deref().unwrap_or("no region")));
    [
        ("Function", Some(report.function.to_owned())),
        ("Resource", report.subject.clone()),
        ("Account", place),
        ("Cause", report.cause.clone()),
        ("Actor", report.actor.as_ref().map(ToString::to_string)),
        (
            "Fight",
            report.fight.then(|| "the same actor brought this back three times within a day".to_owned()),
        ),
        ("Record", report.record.clone()),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some((label, value?)))
}

fn heading(report: &Report) -> &'static str {
    match report.outcome {
        crate::Outcome::Observed => "Would change (mode is observe: nothing was changed)",
        crate::Outcome::Held => "Held back (the change limit of this hour is reached: nothing was changed)",
        _ => "Changes",
    }
}

fn changes(report: &Report, shown: usize) -> impl Iterator<Item = String> + '_ {
    let left = report.changes.len() - shown;
    let rest = (left > 0).then(|| format!("shortened: {left} more changes are in the record"));
    report
        .changes
        .iter()
        .take(shown)
        .map(|c| format!("{}: {} -> {}", clip(&c.summary), clip(&c.before), clip(&c.after)))
        .chain(rest)
}

/// One line, not too long: names and tags are the attacker's to choose.
fn clip(text: &str) -> String {
    let start: String = text.chars().take(VALUE_LIMIT).collect();
    let line = plain(&start);
    if text.chars().nth(VALUE_LIMIT).is_some() { line + "… (shortened)" } else { line }
}

/// Chat clients give meaning to these signs; a name must not become a mention, a link or formatting.
fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c {
            '&' => "&amp;".chars().collect::<Vec<_>>(),
            '<' => "&lt;".chars().collect(),
            '>' => "&gt;".chars().collect(),
            '*' | '_' | '`' | '~' | '@' => vec!['\u{200b}', c],
            other => vec![other],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::outcome::Outcome;
    use crate::plan::Recorded;
    use crate::settings::Mode;

    fn report(changes: usize) -> Report {
        let change = |n| Recorded {
            key: format!("k{n}"),
            summary: format!("isolate eni-{n}"),
            before: "x".repeat(1500),
            after: "sg-9".into(),
            change: Value::Null,
        };
        Report {
            subject: Some("i-1".into()),
            account: Some("111122223333".into()),
            region: Some("eu-west-1".into()),
            record: Some("stop-instance/r".into()),
            undo: Some("tourniquet undo stop-instance/r --reason … --until …".into()),
            changes: (0..changes).map(change).collect(),
            ..Report::without_subject(
                "stop-instance",
                Mode::Enforce,
                Outcome::Contained,
                "mining\r\nSubject: x".into(),
            )
        }
    }

    #[test]
    fn g27_a_message_says_what_where_who_and_how_to_take_it_back() {
        let message = Message::of(&report(1), Format::Text);
        assert_eq!(message.subject, "[Tourniquet] contained: stop-instance i-1");
        for part in [
            "CONTAINED: mining\u{fffd}\u{fffd}Subject: x\n",
            "i-1",
            "111122223333, eu-west-1",
            "isolate eni-0",
            "-> sg-9",
            "tourniquet undo",
        ] {
            assert!(message.body.contains(part), "{part}: {}", message.body);
        }
    }

    #[test]
    fn g27_a_message_stays_below_the_limit_and_says_that_it_was_shortened() {
        for format in [Format::Text, Format::Chat] {
            let message = Message::of(&report(5000), format);
            assert!(message.body.len() <= LIMIT);
            assert!(message.body.contains("more changes are in the record"));
        }
    }

    #[test]
    fn a_chat_message_has_the_custom_schema_and_no_foreign_markup() {
        let mut hostile = report(1);
        hostile.why = "<!channel> *x* <https://evil|here>".into();
        let body: Value = serde_json::from_str(&Message::of(&hostile, Format::Chat).body).unwrap();
        assert_eq!((&body["version"], &body["source"]), (&json!("1.0"), &json!("custom")));
        assert!(!body["content"]["title"].as_str().unwrap().contains("<!"));
    }

    /// A message is read in mail clients, chats and terminals: no text of an attacker begins a line, hides or turns text around.
    #[test]
    fn g27_text_that_an_attacker_chose_stays_within_its_line() {
        let evil = "x\r\nOUTCOME: safe\u{1b}[2J\u{202e}gnp\u{200b}`<!here>=cmd|' /C calc'!A1$(reboot)";
        let mut hostile = report(1);
        hostile.why = evil.into();
        hostile.subject = Some(evil.into());
        hostile.cause = Some(evil.into());
        hostile.notes = vec![evil.into()];
        hostile.undo = Some(crate::journal::undo_command(evil));
        hostile.actor = Some(crate::actor::Actor { user_agent: Some(evil.into()), ..Default::default() });
        hostile.changes[0].summary = evil.into();
        hostile.changes[0].before = evil.into();
        let digest = Message::digest(&[&hostile], Format::Text).remove(0).0;
        for body in [Message::of(&hostile, Format::Text).body, digest.body] {
            let bad = |c: char| (c.is_control() && c != '\n') || crate::text::is_invisible(c);
            assert!(!body.contains(bad) && !body.contains("\nOUTCOME"), "{body:?}");
            assert!(body.contains("undo 'x"), "the command is quoted for a shell: {body:?}");
        }
        let chat: Value = serde_json::from_str(&Message::of(&hostile, Format::Chat).body).unwrap();
        for line in chat["content"]["description"].as_str().unwrap().lines() {
            assert!(line.starts_with(['*', '•']) && !line.contains(['\u{1b}', '\u{202e}']), "{line:?}");
            assert!(!line.contains("<!here>"), "{line:?}");
        }
        let next = chat["content"]["nextSteps"][0].as_str().unwrap();
        assert_eq!(next.matches('`').count(), 2, "{next:?}");
        assert!(!next.contains('\n'), "{next:?}");
        assert!(Message::of(&hostile, Format::Text).subject.is_ascii());
    }

    #[test]
    fn k12_a_digest_has_a_line_for_each_report_and_as_few_messages_as_fit() {
        let mut one = report(0);
        let alone = Message::digest(&[&one], Format::Text);
        assert_eq!((alone.len(), alone[0].1), (1, 1));
        assert!(
            alone[0].0.body.contains("i-1 (111122223333)") && alone[0].0.body.contains("tourniquet undo")
        );
        one.notes = vec!["n".repeat(1900)];
        for format in [Format::Text, Format::Chat] {
            let many = vec![&one; 400];
            let parts = Message::digest(&many, format);
            assert!(parts.len() > 1 && parts[0].0.subject.contains("part 1 of"));
            assert_eq!(parts.iter().map(|(_, told)| told).sum::<usize>(), 400);
            assert!(parts.iter().all(|(message, _)| message.body.len() <= LIMIT));
        }
        assert_eq!(Message::digest(&[], Format::Text), vec![]);
    }
}
