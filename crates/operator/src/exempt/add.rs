//! `tourniquet exempt add`.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use tourniquet::clock;
use tourniquet::error::aws;
use tourniquet::exemption::Source;
use tourniquet::place::{is_account, is_region};

use super::Fields;
use super::kept::{self, Kept, State};
use super::past::Past;
use crate::agree::agreed;
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::journal::Journal;
use crate::out::Out;
use crate::records::{age, time};
use crate::rooms;
use crate::words::plain;

/// A yearly review, and a month for whoever is late: what nobody has looked at for longer is a hole that nobody answers for.
const LONGEST_DAYS: i64 = 400;

/// Adds an exemption: the function leaves these subjects alone until it ends. Shows first which records of the past it would
/// have covered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A scope narrows an exemption to a part of the subject, in words that each function's README explains:
  every function        the identity of one cause, such as a GuardDuty finding's id
  revoke-open-ingress   tcp/22, tcp/8000-8100, 'tcp/22 0.0.0.0/0', 'udp/3389 pl-0123456789abcdef0'
  restore-trail         delivery, retention, bucket-owner, selectors
An exemption whose scope the function does not know covers nothing.

Examples:
  tourniquet exempt add --function stop-instance --account 111122223333 --subject i-0123456789abcdef0 \\
    --reason 'bastion, scanned from by contract' --owner platform@example.com --until 2027-06-30
  tourniquet exempt add --function revoke-open-ingress --account 111122223333 --subject sg-0abc --scope tcp/22 \\
    --subject-region eu-central-1 --reason 'change 4711' --owner net@example.com --until 12h --dry-run

The credentials need dynamodb:Query, dynamodb:Scan and dynamodb:PutItem on the journal's table.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct Args {
    #[command(flatten)]
    fields: Fields,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Who answers for it: a person or a team that can be reached.
    #[arg(long)]
    owner: String,
    /// When it ends: 2027-06-30 (with its last second, in UTC), 2027-06-30T12:00:00Z, or in 12h or 30d.
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: String,
    /// Looks for records of the past since then that it would have covered.
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = time)]
    since: Timestamp,
    /// Agrees that every subject is exempt.
    #[arg(long)]
    everything: bool,
    /// Agrees that it lasts longer than 400 days.
    #[arg(long)]
    long: bool,
    /// Replaces the exemption of the same subjects, regions and scope.
    #[arg(long)]
    replace: bool,
    /// Adds it without asking.
    #[arg(long)]
    yes: bool,
    /// Shows what it would cover and adds nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    let now = clock::now();
    let (mut kept, end) = draft(args, now)?;
    let aws = Aws::connect(options).await?;
    let journal = aws.journal();
    kept.added_by = Some(aws.caller.clone());
    kept.added = Some(now.to_string());

    let others = kept::read(&journal, Some(&kept.function), Some(&kept.account)).await?;
    let mut out = Out::default();
    out.line(&sentence(&kept, end));
    let there = others.iter().find(|other| other.sort == kept.sort);
    for other in others.iter().filter(|other| is_same_part(other, &kept) && Some(*other) != there) {
        let state = other.state(now);
        if matches!(state, State::Valid(_)) {
            out.line(&format!(
                "the same is exempt already by {} of {}, which ends {}",
                other.id(),
                other.writer(),
                state.told(now)
            ));
        }
    }
    if let Some(there) = there {
        let difference = difference(there, &kept);
        if difference.is_empty() {
            out.line(&format!("this exemption is there already: {}", there.id()));
            out.end()?;
            return Ok(Done::Well);
        }
        out.line(&format!("it replaces {}:", there.id()));
        out.lines(difference);
    }
    Past::read(&journal, &kept, args.since).await?.show(&kept, &mut out);
    out.end()?;
    if args.dry_run {
        anstream::eprintln!("--dry-run: nothing was changed");
        return Ok(Done::Well);
    }
    if let Some(there) = there.filter(|_| !args.replace) {
        return Err(Failure::Refused(format!(
            "nothing was changed: the exemption {} of the same subjects is there already and says something else (above); \
             --replace replaces it",
            there.id()
        )));
    }
    agreed("Add this exemption?", args.yes)?;
    write(&journal, &kept, end, there).await?;
    anstream::println!("added: {}", kept.id());
    Ok(Done::Well)
}

/// The exemption that was asked for and its end, if it makes sense.
fn draft(args: &Args, now: Timestamp) -> Result<(Kept, Timestamp), Failure> {
    let wrong = |text: String| Failure::Usage(format!("{text}; nothing was changed"));
    let need = |value: &Option<String>, name: &str| {
        value
            .clone()
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| wrong(format!("--{name} is missing")))
    };
    let fields = &args.fields;
    let function = need(&fields.function, "function")?;
    rooms::named(&function)?;
    let account = need(&fields.account, "account")?;
    if !is_account(&account) {
        return Err(wrong(format!("--account: {account:?} is not an account: expected twelve digits")));
    }
    let subject = need(&fields.subject, "subject")?;
    let region = fields.subject_region.clone().unwrap_or_else(|| "*".to_owned());
    if !is_region(&region) && !region.contains(['*', '?']) {
        return Err(wrong(format!("--subject-region: {region:?} is not a region such as eu-central-1")));
    }
    if fields.scope.as_ref().is_some_and(|scope| scope.trim().is_empty()) {
        return Err(wrong("--scope is empty; leave it out to exempt the whole subject".to_owned()));
    }
    let kept = Kept {
        function,
        account,
        sort: Kept::sort_key(&subject, &region, fields.scope.as_deref()),
        subject: Some(subject),
        region: Some(region),
        scope: fields.scope.clone(),
        reason: Some(args.reason.clone()),
        owner: Some(args.owner.clone()),
        ends: Some(args.until.clone()),
        added_by: None,
        added: None,
    };
    let exemption = kept.draft().check(Source::Journal, now).map_err(wrong)?;
    // Only wildcards: however it is written, it covers whatever there is.
    if exemption.subject.trim_matches(['*', '?']).is_empty() && !args.everything {
        return Err(Failure::Refused(format!(
            "nothing was changed: the subject {:?} exempts everything that {} answers in {}; --everything says that this is meant",
            exemption.subject, kept.function, kept.account
        )));
    }
    let longest = SignedDuration::from_hours(LONGEST_DAYS * 24);
    if exemption.expires.duration_since(now) > longest && !args.long {
        return Err(Failure::Refused(format!(
            "nothing was changed: it would end at {}, in more than {LONGEST_DAYS} days, and nobody would look at it for that \
             long; --long says that this is meant",
            exemption.expires
        )));
    }
    Ok((kept, exemption.expires))
}

/// When an exemption ends, in the words that the functions read.
fn until(text: &str) -> Result<String, String> {
    match age(text) {
        None => Ok(text.to_owned()),
        Some(span) => {
            let end = clock::now().checked_add(span).map_err(|e| e.to_string())?;
            Ok(end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        }
    }
}

fn sentence(kept: &Kept, end: Timestamp) -> String {
    let regions = if kept.region() == "*" { "every region".to_owned() } else { plain(kept.region()) };
    let part = kept.scope.as_ref().map(|scope| format!(" ({})", plain(scope))).unwrap_or_default();
    format!(
        "{} leaves {}{part} alone in {} in {regions} until {end}: {} (owner: {})",
        kept.function,
        plain(kept.subject()),
        kept.account,
        plain(kept.reason.as_deref().unwrap_or_default()),
        plain(kept.owner.as_deref().unwrap_or_default())
    )
}

fn is_same_part(a: &Kept, b: &Kept) -> bool {
    (a.subject(), a.region(), &a.scope) == (b.subject(), b.region(), &b.scope)
}

/// What would be another, a line each. Who added it and when does not make another exemption.
fn difference(there: &Kept, new: &Kept) -> Vec<String> {
    let pairs = there.values().into_iter().zip(new.values());
    let differ = pairs.filter(|((name, old), (_, new))| *name != "added by" && old != new);
    differ.map(|((name, old), (_, new))| format!("  {name}: {} -> {}", plain(old), plain(new))).collect()
}

/// Writes an exemption, if what was shown is still what is there.
async fn write(journal: &Journal, kept: &Kept, end: Timestamp, there: Option<&Kept>) -> Result<(), Failure> {
    let put = journal.client.put_item().table_name(&journal.table).set_item(Some(kept.to_item(end)));
    let put = match there {
        None => put.condition_expression("attribute_not_exists(pk)"),
        Some(there) => {
            let old = |text: &Option<String>| AttributeValue::S(text.clone().unwrap_or_default());
            put.condition_expression("ends = :ends AND reason = :reason AND #owner = :owner")
                // OWNER is a reserved word.
                .expression_attribute_names("#owner", "owner")
                .expression_attribute_values(":ends", old(&there.ends))
                .expression_attribute_values(":reason", old(&there.reason))
                .expression_attribute_values(":owner", old(&there.owner))
        }
    };
    match put.send().await {
        Ok(_) => Ok(()),
        Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {
            Err(Failure::Refused(format!(
                "nothing was changed: somebody else has just written the exemption {}; look again",
                kept.id()
            )))
        }
        Err(e) => Err(aws("dynamodb:PutItem", e).into()),
    }
}
