//! Reads everything that is named, on all cores: one thread finds files, the others read one each.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use jiff::Timestamp;

use super::bucket::Bucket;
use super::judge::{Judge, Record};
use super::progress::Progress;
use super::source::{Named, Source, Step, is_digest, walk};
use super::split::{Found, Splitter};
use super::tally::{Function, Origin};
use crate::failure::Failure;

/// Damaged files that are named; the others are counted.
const NAMED: usize = 50;
/// Files that are known before they are read.
const AHEAD: usize = 1024;
/// Objects that are read side by side: most of the time is waiting for S3.
const OBJECTS: usize = 16;

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Files that were read, the damaged ones included.
    pub files: u64,
    /// Digest files, which hold no events.
    pub digests: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// Bytes of JSON in them.
    pub inflated: u64,
    /// Records in them.
    pub records: u64,
    /// Records that no trigger names.
    pub others: u64,
    /// Records that were there before.
    pub again: u64,
    /// Records that a trigger names, outside of the period.
    pub outside: u64,
    /// Events that reached functions.
    pub events: u64,
    /// The first and the last of those.
    pub period: Option<(Timestamp, Timestamp)>,
    /// Files that are damaged, or hold something that is.
    pub damaged: u64,
    /// The first of them, and what is wrong.
    pub named: Vec<(String, String)>,
    /// What each function would have done.
    pub functions: BTreeMap<&'static str, Function>,
}

/// What all threads share.
struct Shared<'a> {
    judge: &'a Judge,
    bucket: Option<&'a Bucket>,
    progress: &'a Progress,
    outcome: Mutex<Outcome>,
}

/// Reads everything.
pub fn run(
    named: &[Named],
    judge: &Judge,
    bucket: Option<&Bucket>,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let shared = Shared { judge, bucket, progress, outcome: Mutex::default() };
    let cores = thread::available_parallelism().map_or(2, usize::from);
    let readers = if bucket.is_some() { OBJECTS.max(cores) } else { cores };
    let (give, take) = sync_channel(AHEAD);
    let take = Mutex::new(take);
    thread::scope(|scope| {
        // Sizes are counted apart from the search, which waits for the readers.
        scope.spawn(|| named.iter().for_each(|named| count(named, progress)));
        for _ in 0..readers {
            scope.spawn(|| shared.read_all(&take));
        }
        let found = named.iter().try_for_each(|named| shared.find(named, &give));
        drop(give);
        found
    })?;
    let mut outcome = shared.outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    (outcome.bytes, outcome.inflated) = progress.end();
    outcome.named.sort();
    Ok(outcome)
}

fn count(named: &Named, progress: &Progress) {
    if let Named::Path(path) = named {
        walk(path, &mut |step| {
            if let Step::File(path, size) = step
                && !is_digest(&path.to_string_lossy())
            {
                progress.more(size);
            }
            true
        });
    }
}

impl Shared<'_> {
    fn outcome(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands on each file of an argument. Listing a bucket has to go well; a folder that cannot be read is one more damage.
    fn find(&self, named: &Named, give: &SyncSender<Source>) -> Result<(), Failure> {
        match named {
            Named::Stdin => {
                let _ = give.send(Source::Stdin);
            }
            Named::Path(path) => {
                walk(path, &mut |step| match step {
                    Step::File(path, _) => self.hand_on(Source::File(path), give),
                    Step::Unread(path, error) => {
                        self.damaged(&path.display().to_string(), error.to_string());
                        true
                    }
                });
            }
            Named::Prefix { bucket: name, prefix } => {
                let Some(bucket) = self.bucket else { return Ok(()) };
                let listed = bucket.list(name, prefix, |key, size| {
                    if !is_digest(key) {
                        self.progress.more(size);
                    }
                    self.hand_on(Source::Object { bucket: name.clone(), key: key.to_owned() }, give)
                });
                listed.map_err(|error| {
                    Failure::Failed(format!("s3://{name}/{prefix} cannot be listed: {error}"))
                })?;
            }
        }
        Ok(())
    }

    fn hand_on(&self, source: Source, give: &SyncSender<Source>) -> bool {
        if is_digest(&source.to_string()) {
            self.outcome().digests += 1;
            return true;
        }
        give.send(source).is_ok()
    }

    fn read_all(&self, take: &Mutex<Receiver<Source>>) {
        let mut splitter = Splitter::default();
        loop {
            let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(source) = next else { return };
            self.read(&source, &mut splitter);
        }
    }

    fn read(&self, source: &Source, splitter: &mut Splitter) {
        let name = source.to_string();
        let mut file = File { shared: self, name: &name, records: 0, others: 0, wrong: None, more: 0 };
        let read = match source.open(self.bucket, |bytes| self.progress.read(bytes)) {
            Ok(from) => splitter
                .run(from, |bytes| self.progress.inflated(bytes), |found| file.take(found))
                .map_err(|error| match error.kind() {
                    ErrorKind::UnexpectedEof => "the compressed data ends too early".to_owned(),
                    _ => error.to_string(),
                }),
            Err(error) => Err(error),
        };
        let File { records, others, wrong, more, .. } = file;
        {
            let mut outcome = self.outcome();
            outcome.files += 1;
            outcome.records += records;
            outcome.others += others;
        }
        let wrong = match (read, wrong) {
            (Err(error), _) => Some(error),
            (Ok(()), Some(wrong)) if more > 0 => Some(format!("{wrong}, and {more} more")),
            (Ok(()), wrong) => wrong,
        };
        if let Some(wrong) = wrong {
            self.damaged(&name, wrong);
        }
    }

    fn damaged(&self, name: &str, why: String) {
        let mut outcome = self.outcome();
        outcome.damaged += 1;
        if outcome.named.len() < NAMED {
            outcome.named.push((name.to_owned(), why));
        }
    }
}

/// One file while it is read.
struct File<'a> {
    shared: &'a Shared<'a>,
    name: &'a str,
    records: u64,
    others: u64,
    wrong: Option<String>,
    more: u64,
}

impl File<'_> {
    fn take(&mut self, found: Found<'_>) {
        let (at, bytes) = match found {
            Found::Broken { at, why } => return self.wrong(at, why),
            Found::Record { at, bytes } => (at, bytes),
        };
        self.records += 1;
        if !self.shared.judge.keeps(bytes) {
            self.others += 1;
            return;
        }
        match self.shared.judge.judge(bytes) {
            Record::Other => self.others += 1,
            Record::Again => self.shared.outcome().again += 1,
            Record::Outside => self.shared.outcome().outside += 1,
            Record::Broken(why) => self.wrong(at, &why),
            Record::Reached { at, id, judged } => {
                let mut outcome = self.shared.outcome();
                outcome.events += 1;
                if let Some(at) = at {
                    let (first, last) = outcome.period.unwrap_or((at, at));
                    outcome.period = Some((first.min(at), last.max(at)));
                }
                for one in judged {
                    let function = outcome.functions.entry(one.function).or_default();
                    function.add(one, Origin { at, event: &id, file: self.name });
                }
            }
        }
    }

    fn wrong(&mut self, at: u64, why: &str) {
        match &self.wrong {
            Some(_) => self.more += 1,
            None => self.wrong = Some(format!("byte {at}: {why}")),
        }
    }
}
