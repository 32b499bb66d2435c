//! The model: who is there, what can happen next, and what a state becomes by it.

use stateright::{Model, Property};

use crate::promises;
use crate::state::{At, Changes, Doing, HOUR, Human, Outcome, Run, State, Subject};

/// A rule of the protocol that is broken on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Break {
    /// A record is written over whatever stands there.
    NoVersion,
    /// A run that lost its record goes on as if its next version were the other's.
    LostVersionCounts,
    /// A record is never taken over: a lock in place of a lease.
    LockForLease,
    /// Nobody waits for another's lease.
    NoLease,
    /// The lease is not renewed while changes are made.
    LeaseNotRenewed,
    /// Who was refused the record, or waited, goes on with the exemptions that it read before.
    OldExemptions,
    /// Who goes on with a record takes new before-images.
    NewBeforeImages,
    /// Each delivery begins a record of its own.
    RecordForEach,
    /// The change limit is read, compared and written, not taken in the transaction of the record.
    LimitReadBefore,
    /// Changes are made before they are on record.
    ChangesFirst,
    /// What AWS answered is believed and not read back.
    Believes,
    /// People are told after the record is closed.
    TellsLast,
    /// The undo writes its exemption at its end.
    ExemptionLast,
    /// The undo does not mark the record.
    NoMark,
    /// The sweep comes back to what has ended only.
    OpenNotSwept,
    /// Who runs out of time while another is at the record writes its failure over it.
    FailureOverLease,
}

/// How many of what.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    /// What is harmful about each of two subjects at the beginning; nobody looks at a second one that is safe.
    pub(crate) harm: [Changes; 2],
    /// Deliveries of an event, by subject: doubled ones are listed twice.
    pub(crate) deliveries: &'static [usize],
    /// Sweeps that can begin at any time.
    pub(crate) sweeps: &'static [usize],
    pub(crate) retries: u8,
    pub(crate) undos: u8,
    pub(crate) undo_tries: u8,
    pub(crate) kills: u8,
    /// Answers of writes that get lost: the write is sent twice.
    pub(crate) losses: u8,
    /// Changes that AWS answers and that do not show.
    pub(crate) idle_calls: u8,
    pub(crate) attacks: u8,
    /// How far the clock goes while nobody waits for the lease of the dead.
    pub(crate) ticks: u8,
    pub(crate) limit: u8,
    /// How many ticks the exemption of an undo lasts.
    pub(crate) exempt: u8,
    pub(crate) broken: Option<Break>,
}

/// One step of somebody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// The clock goes on; at most one lease, exemption or hour further.
    Tick,
    /// Somebody brings the harm back.
    Attack(usize),
    Run(usize, Step),
    Human(usize, Deed),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    Begin,
    ReadExemptions,
    ReadRecords,
    ReadResource,
    /// Sends a write; a lost answer makes the SDK send it again.
    Write,
    WriteAndLoseTheAnswer,
    Apply(u8),
    /// A change that AWS answers and that has no effect.
    ApplyIdly(u8),
    /// Writes the next version of the record, with a new lease.
    Renew,
    Tell,
    /// The time of the invocation is over.
    RunOut,
    Die,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deed {
    Look,
    Begin,
    Revert(u8),
    Close,
    Die,
}

impl Protocol {
    pub(crate) fn is(&self, broken: Break) -> bool {
        self.broken == Some(broken)
    }

    /// The runs that are there from the beginning, and a last sweep when all else has ended.
    fn runs(&self) -> Vec<Run> {
        let run = |sweeps: bool, retries: u8| {
            move |subject: &usize| Run { subject: *subject, sweeps, retries, ..Run::default() }
        };
        let last: Vec<usize> = (0..2).filter(|subject| self.harm[*subject] != 0).collect();
        let begun = self.deliveries.iter().map(run(false, self.retries));
        begun.chain(self.sweeps.iter().map(run(true, 0))).chain(last.iter().map(run(true, 0))).collect()
    }

    /// The last sweep of each subject comes when all else is quiet, and nothing happens to it.
    pub(crate) fn is_last(&self, run: usize) -> bool {
        run >= self.deliveries.len() + self.sweeps.len()
    }

    fn may_begin(&self, state: &State, run: usize) -> bool {
        let ended = |run: &Run| matches!(run.at, At::Answered | At::DeadLetter);
        !self.is_last(run)
            || state.runs.iter().enumerate().all(|(n, other)| self.is_last(n) || ended(other))
                && state.humans.iter().all(|human| matches!(human.doing, Doing::Nothing | Doing::Ended))
    }

    /// A live process renews its lease in time. Without that, a lease means nothing.
    fn may_tick(&self, state: &State) -> bool {
        let waits = |run: &Run| {
            let latest = state.subjects[run.subject].records.last();
            matches!(run.at, At::Waiting { .. })
                && latest.is_some_and(|record| {
                    let owner = &state.runs[usize::from(record.owner)];
                    record.lease > state.now && owner.knows.record.is_none()
                })
        };
        let near = |run: &Run| {
            let lease = run.knows.record.as_ref().map(|(_, record)| record.lease);
            matches!(run.at, At::Applying(_)) && lease == Some(state.now + 1)
        };
        let renews = !self.is(Break::LeaseNotRenewed) && state.runs.iter().any(near);
        // A human who died holds the undo until its lease ends.
        let at_it = state.humans.iter().any(|human| matches!(human.doing, Doing::Reverting { .. }));
        let blocked = |subject: &Subject| {
            !at_it && subject.undo.is_some_and(|undo| !undo.finished && undo.lease > state.now)
        };
        let tries = state.humans.iter().any(|human| human.doing == Doing::Nothing && human.tries > 0);
        let due = state.now < self.ticks
            || state.runs.iter().any(waits)
            || tries && state.subjects.iter().any(blocked);
        due && !renews
    }

    fn tick(state: &mut State) {
        state.now += 1;
        let now = state.now;
        for human in &state.humans {
            if matches!(human.doing, Doing::Reverting { .. })
                && let Some(undo) = state.subjects[human.subject].undo.as_mut()
            {
                undo.lease = now + 1;
            }
        }
        for subject in &mut state.subjects {
            if !subject.is_exempt(now) {
                subject.released = 0;
            }
        }
        let hours = usize::from(now / HOUR) + 1;
        state.taken.resize(state.taken.len().max(hours), 0);
    }

    /// Whether nothing can happen any more.
    pub(crate) fn is_quiet(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.actions(state, &mut actions);
        actions.is_empty()
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let subjects = self.harm.iter().map(|harm| Subject { harm: *harm, ..Subject::default() }).collect();
        let human = Human { tries: self.undo_tries, ..Human::default() };
        vec![State {
            subjects,
            taken: vec![0],
            runs: self.runs(),
            humans: vec![human; usize::from(self.undos)],
            kills: self.kills,
            losses: self.losses,
            idle_calls: self.idle_calls,
            attacks: self.attacks,
            ..State::default()
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.broken != 0 {
            return;
        }
        if self.may_tick(state) {
            actions.push(Action::Tick);
        }
        for (n, subject) in state.subjects.iter().enumerate() {
            let contained = subject.records.last().is_some_and(|r| r.outcome == Some(Outcome::Contained));
            if state.attacks > 0 && contained && subject.harm == 0 {
                actions.push(Action::Attack(n));
            }
        }
        for n in 0..state.runs.len() {
            if self.may_begin(state, n) {
                self.steps(state, n, |step| actions.push(Action::Run(n, step)));
            }
        }
        for n in 0..state.humans.len() {
            Self::deeds(state, n, |deed| actions.push(Action::Human(n, deed)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Tick => Self::tick(&mut state),
            Action::Attack(subject) => {
                state.attacks -= 1;
                state.subjects[subject].harm = self.harm[subject];
            }
            Action::Run(run, step) => self.step(&mut state, run, step),
            Action::Human(human, deed) => self.deed(&mut state, human, deed),
        }
        for run in &mut state.runs {
            run.knows.was_safe |= run.knows.record.is_some() && state.subjects[run.subject].harm == 0;
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all()
    }
}
