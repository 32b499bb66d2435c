//! `tourniquet undo`: one record taken back, under the operator's own credentials. Its protocol is `docs/adr/0007`.

mod fate;
mod show;
mod store;
mod work;

use jiff::Timestamp;
use tourniquet::exemption::{Draft, Exemption, Source};
use tourniquet::plan::Recorded;
use tourniquet::{Consent, Lead, clock};

use self::fate::{Fate, Status};
use self::show::Page;
use self::store::Found;
use self::work::Work;
use crate::agree::agreed;
use crate::aws::{Aws, Options};
use crate::failure::{Done, Failure};
use crate::functions;
use crate::records::{Id, Undo, age};
use crate::rooms;
use crate::words::plain;

/// Takes one record back: what was there before is there again, and the function leaves it alone until the exemption ends.
///
/// Shows what was there before, what is there now and what would become of each change, then asks. It refuses if anybody changed
/// the resource since, and does nothing the second time. An undo that was interrupted or ended partial is gone on with by the same
/// command.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What --release agrees to, besides what harms nobody by itself:
  block-public-bucket   the bucket, or the account, is open to the public as it was
  restore-trail         settings, selectors and Insights record less again; no undo ever stops or deletes a trail
  revoke-open-ingress   the port is open to the world again
  stop-instance         the instance is started
  disable-old-keys      not needed; a key that was marked as compromised stays inactive whatever is agreed to

Examples:
  tourniquet undo stop-instance/111122223333/eu-central-1/i-0abc/ca978112ca-0001 --dry-run
  tourniquet undo stop-instance/111122223333/eu-central-1/i-0abc/ca978112ca-0001 \\
    --reason 'a penetration test, ticket 4711' --until 2027-01-31 --release

The credentials need dynamodb:Query and dynamodb:PutItem on the journal's table, and what the function reads and undo changes
on the resource itself.")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// The record's id, as messages, logs and `tourniquet history` name it.
    #[arg(value_name = "RECORD", value_parser = id)]
    record: Id,
    /// Why.
    #[arg(long, required_unless_present = "dry_run")]
    reason: Option<String>,
    /// Until when the function leaves it alone: 2027-01-31 (with its last second, in UTC), 2027-01-31T12:00:00Z, or in 12h or 7d.
    #[arg(long, value_name = "TIME", required_unless_present = "dry_run")]
    until: Option<String>,
    /// Who answers for the exemption. Default: whoever runs this command.
    #[arg(long)]
    owner: Option<String>,
    /// Agrees that the danger is set free again; see below.
    #[arg(long)]
    release: bool,
    /// Takes it back without asking.
    #[arg(long)]
    yes: bool,
    /// Shows what would become of it and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Says what was found and done as one JSON document.
    #[arg(long)]
    json: bool,
}

fn id(text: &str) -> Result<Id, String> {
    text.trim().parse()
}

/// Runs the command.
pub async fn run(args: &Args, options: &Options) -> Result<Done, Failure> {
    rooms::named(&args.record.function)?;
    let aws = Aws::connect(options).await?;
    let wanted = exemption(args, &aws.caller, clock::now())?;
    let journal = aws.journal();
    let Some(found) = store::find(&journal, &args.record).await? else {
        return Err(Failure::Usage(format!(
            "there is no record {} in the table {} in {}; `tourniquet history` lists those that there are",
            plain(&args.record.to_string()),
            journal.table,
            aws.home
        )));
    };
    let mut page = Page::new(&found, args.json);
    if let Some(done) = settled(&found, &mut page)? {
        return page.end(done);
    }
    let function = functions::one(&found.record.function, None)?;
    let lead = Lead::of_record(&found.record)?;
    let sdk = aws.at(&found.record.place).await?;
    let consent = if args.release { Consent::Explicit } else { Consent::Plain };
    let work = Work { function: function.as_ref(), sdk: &sdk, lead: &lead, consent };

    let steps: Vec<&Recorded> = found.record.steps.iter().rev().collect();
    page.fates = work.look(&steps).await?;
    page.changes();
    if let Some(refusal) = refusal(&found, &page.fates) {
        return page.refused(refusal);
    }
    let Some(wanted) = wanted.filter(|_| !args.dry_run) else {
        anstream::eprintln!("--dry-run: nothing was changed");
        return page.end("dry-run");
    };
    let region = if function.names_are_global() { "*" } else { &wanted.region };
    let exempt = |scope| Exemption { scope, region: region.to_owned(), ..wanted.clone() };
    page.exemptions = work.scopes(&steps)?.into_iter().map(exempt).collect();
    page.exempt();
    if let Err(refusal) = agreed("Take it back?", args.yes) {
        return page.refused(refusal);
    }

    let undo = begun(&found, &wanted, &aws.caller);
    let mut open = store::begin(&journal, &found, undo, &page.exemptions).await?;
    page.fates = work.take_back(&steps, &mut open).await?;
    open.undo.changes = page.fates.iter().map(|fate| (fate.key.clone(), fate.told())).collect();
    let left: Vec<&Fate> = page.fates.iter().filter(|fate| fate.status == Status::Left).collect();
    open.undo.finished = left.is_empty().then(clock::now);
    let said: Vec<String> =
        left.iter().map(|fate| format!("{}: {}", plain(&fate.summary), plain(&fate.told()))).collect();
    let kept = open.close().await;
    page.undo = Some(open.undo);
    page.fates();
    if said.is_empty() {
        kept?;
        return page.end("undone");
    }
    page.partial(format!(
        "{} of {} changes are left: {}. The exemption holds; the same command goes on when the cause is mended{}",
        said.len(),
        steps.len(),
        said.join("; "),
        kept.err().map(|error| format!(". {error}")).unwrap_or_default()
    ))
}

/// The exemption that is left, as far as the arguments say it: none for a look.
fn exemption(args: &Args, caller: &str, now: Timestamp) -> Result<Option<Exemption>, Failure> {
    let Some(until) = &args.until else { return Ok(None) };
    let end = age(until).and_then(|span| now.checked_add(span).ok());
    let draft = Draft {
        subject: Some(args.record.subject.clone()),
        region: Some(args.record.place.region.clone()),
        scope: None,
        reason: args.reason.clone().or_else(|| args.dry_run.then(|| "a look".to_owned())),
        owner: Some(args.owner.clone().unwrap_or_else(|| caller.to_owned())),
        // To the second, so that the journal has what people read.
        expires: Some(
            end.map_or_else(|| until.clone(), |end| end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ),
    };
    draft
        .check(Source::Journal, now)
        .map(Some)
        .map_err(|problem| Failure::Usage(format!("{problem}; nothing was changed")))
}

/// How the record stands, if there is nothing to take back or nobody may now.
fn settled(found: &Found, page: &mut Page) -> Result<Option<&'static str>, Failure> {
    let record = &found.record;
    if let Some(begun) = &found.undo {
        let undo = &begun.undo;
        if let Some(at) = undo.finished {
            page.say(&format!(
                "already undone at {at} by {}: {} (exempt until {})",
                plain(&undo.by),
                plain(&undo.reason),
                undo.until
            ));
            page.undo = Some(undo.clone());
            return Ok(Some("already-undone"));
        }
        if begun.lease > clock::now() {
            return Err(Failure::Refused(format!(
                "{} has been taking it back since {}; if that ended without a word, try again after {}",
                plain(&undo.by),
                undo.started,
                begun.lease
            )));
        }
    }
    if !record.counted {
        let outcome = record.outcome.map_or("open", tourniquet::Outcome::word);
        page.say(&format!(
            "the outcome is {outcome}: nothing was changed under this record, so nothing is to be taken back; `tourniquet exempt \
             add` keeps {} from changing it",
            record.function
        ));
        return Ok(Some("nothing-changed"));
    }
    if let Some(lease) = found.at_work {
        return Err(Failure::Refused(format!(
            "a run of {} is at it until {lease}; try again then",
            record.function
        )));
    }
    Ok(None)
}

/// Why nothing is taken back, if so.
fn refusal(found: &Found, fates: &[Fate]) -> Option<Failure> {
    let all = |status: Status| -> Vec<String> {
        let those = fates.iter().filter(|fate| fate.status == status);
        those.map(|fate| format!("{}: {}", plain(&fate.summary), plain(&fate.told()))).collect()
    };
    let refuse = |text: String| Some(Failure::Refused(format!("nothing was changed: {text}")));
    let (refused, drifted, unasked) = (all(Status::Refused), all(Status::Drifted), all(Status::Unasked));
    if !refused.is_empty() {
        return refuse(refused.join("; "));
    }
    if !drifted.is_empty() {
        return refuse(format!(
            "somebody else changed it since {} did. {}",
            found.record.function,
            drifted.join("; ")
        ));
    }
    if unasked.is_empty() {
        return None;
    }
    refuse(format!("this would set the danger free again, which --release agrees to. {}", unasked.join("; ")))
}

/// The undo to begin, or to go on with for the reason that is given now.
fn begun(found: &Found, wanted: &Exemption, caller: &str) -> Undo {
    Undo {
        record: found.record.id(),
        reason: wanted.reason.clone(),
        by: caller.to_owned(),
        until: wanted.expires,
        started: found.undo.as_ref().map_or_else(clock::now, |begun| begun.undo.started),
        finished: None,
        changes: Vec::new(),
    }
}
