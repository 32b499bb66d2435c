//! Torture: every call of a containment goes wrong in every way, and more events arrive in a minute than usual in a year.
//!
//! A [`cell`] is one function whose nth call of an operation meets one fault, and the deliveries that Lambda makes of its
//! event then. The [`matrix`] is all cells, of which the tests play a part and `scripts/torture` all.

pub mod cell;
mod cloud;
pub mod events;
pub mod fault;
pub mod flood;
mod journal;
mod judge;
pub mod matrix;
pub mod table;
