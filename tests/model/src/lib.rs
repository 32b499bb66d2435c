//! A model of the journal's protocol, and its exhaustive check.
//!
//! Deliveries, sweeps and humans work on the same subject at once; any of them can die between two calls, answers get lost,
//! leases, hours and exemptions end. Every write has the condition that it has in `shared/src/journal/write.rs` and
//! `crates/operator/src/undo/store.rs`. The checker plays every order of the steps and holds each state against the
//! promises in `promises.rs`. For each promise `tests.rs` breaks one rule of the protocol and expects that the checker
//! finds out: a check that cannot fail holds nothing.
//!
//! `docs/reliability.md` says what was explored and what the model leaves out.

#[cfg(test)]
mod act;
#[cfg(test)]
mod human;
#[cfg(test)]
mod look;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;
