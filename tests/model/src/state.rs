//! What a state of the model consists of.

/// A set of changes, one bit each: those that are needed, planned, made.
pub(crate) type Changes = u8;

/// The longest that a lease runs, in ticks of the clock.
pub(crate) const LEASE: u8 = 2;
/// How many ticks an hour of the change limit has.
pub(crate) const HOUR: u8 = 2;

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Outcome {
    Contained,
    Exempt,
    Held,
    Partial,
}

/// A record as the table has it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Record {
    pub(crate) version: u8,
    pub(crate) owner: u8,
    pub(crate) lease: u8,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) planned: Changes,
    /// The before-images: of which planned changes they say that the harm was there.
    pub(crate) before: Changes,
    /// The hour from whose limit it has taken one.
    pub(crate) counted: Option<u8>,
    pub(crate) told: bool,
    pub(crate) undone: bool,
}

impl Record {
    pub(crate) fn is_at_work(&self, now: u8) -> bool {
        self.outcome.is_none() && !self.undone && self.lease > now
    }

    pub(crate) fn is_continued(&self) -> bool {
        !self.undone && self.outcome != Some(Outcome::Contained)
    }

    pub(crate) fn is_unfinished(&self) -> bool {
        self.counted.is_some() && self.is_continued()
    }
}

/// The undo of a record as the table has it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Undo {
    pub(crate) record: usize,
    pub(crate) version: u8,
    pub(crate) lease: u8,
    pub(crate) finished: bool,
}

/// A resource, and what the journal has of it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Subject {
    /// What is harmful about the resource now.
    pub(crate) harm: Changes,
    pub(crate) records: Vec<Record>,
    pub(crate) undo: Option<Undo>,
    /// Until when it is exempt.
    pub(crate) exempt: Option<u8>,
    /// What became of the resource, which no process sees: by attempt, which changes were made, and by whom first.
    pub(crate) made: Vec<[Option<u8>; 2]>,
    /// What a human has put back.
    pub(crate) released: Changes,
    pub(crate) messages: u8,
}

impl Subject {
    pub(crate) fn is_exempt(&self, now: u8) -> bool {
        self.exempt.is_some_and(|end| end > now)
    }
}

/// A record that is to be written, and the version that must stand there.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Draft {
    pub(crate) record: Record,
    pub(crate) at: usize,
    pub(crate) prior: Option<u8>,
    pub(crate) takes_one: bool,
}

/// Where a run is: what it does next with AWS or the journal.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) enum At {
    /// The delivery has not come yet, or comes again.
    #[default]
    Due,
    /// A sweep reads the exemptions, once for everything.
    Listing,
    /// Reads side by side: the resource, the records, the exemptions.
    Looking {
        resource: bool,
        records: bool,
        exemptions: bool,
    },
    /// Another run's lease runs, or another run wrote the record first: reads the records until it is nobody's.
    Waiting {
        refused: bool,
    },
    /// Looks at the resource again.
    Again,
    /// Reads the journal again before it changes what a human may have taken back.
    Asking {
        records: bool,
    },
    Recording(Draft, Then),
    Applying(Changes),
    Telling(Outcome),
    Closing(Outcome),
    Answered,
    DeadLetter,
}

/// What follows when a record was written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Then {
    Apply(Changes),
    End(Outcome),
}

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Run {
    pub(crate) subject: usize,
    pub(crate) sweeps: bool,
    /// How often Lambda delivers it again after an error.
    pub(crate) retries: u8,
    pub(crate) at: At,
    pub(crate) knows: Knows,
}

/// What a process has in its memory; it dies with it.
#[expect(clippy::struct_excessive_bools, reason = "each is a thing that a process knows or not")]
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Knows {
    pub(crate) harm: Changes,
    pub(crate) records: Vec<Record>,
    pub(crate) exempt: Option<u8>,
    /// The count of the change limit; no run of the real protocol reads it.
    pub(crate) taken: u8,
    pub(crate) gated: bool,
    pub(crate) asked: bool,
    pub(crate) waited: bool,
    pub(crate) done: Changes,
    pub(crate) looks: u8,
    pub(crate) refusals: u8,
    /// The record that it has opened.
    pub(crate) record: Option<(usize, Record)>,
    /// Whether the resource was ever safe while this run had its record; the run does not see it.
    pub(crate) was_safe: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) enum Doing {
    #[default]
    Nothing,
    /// Has seen a record and an undo in these versions, and agrees.
    Agreed {
        record: usize,
        version: u8,
        undo: Option<u8>,
    },
    /// Puts back what is left of a record.
    Reverting {
        record: usize,
        version: u8,
        left: Changes,
    },
    Ended,
}

/// A human with the command `undo`, who tries again.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Human {
    pub(crate) subject: usize,
    pub(crate) doing: Doing,
    pub(crate) tries: u8,
}

/// Everything.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) now: u8,
    pub(crate) subjects: Vec<Subject>,
    /// The count of the change limit, by hour.
    pub(crate) taken: Vec<u8>,
    pub(crate) runs: Vec<Run>,
    pub(crate) humans: Vec<Human>,
    pub(crate) kills: u8,
    pub(crate) losses: u8,
    pub(crate) idle_calls: u8,
    pub(crate) attacks: u8,
    /// Promises that the last step broke.
    pub(crate) broken: u16,
}

impl State {
    pub(crate) fn hour(&self) -> u8 {
        self.now / HOUR
    }
}
