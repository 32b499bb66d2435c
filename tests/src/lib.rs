//! The simulated account, the scenarios that are played in it, and what is shown of them.
//!
//! A scenario sets up an account, lets an attacker act, delivers the event that AWS would deliver to the shipped
//! binary of a function, and compares what the account looks like afterwards with what was promised. The account is
//! moto's server in a Python process, the binary runs under AWS's own runtime interface emulator, and a proxy between
//! the two records every call, slows calls down and breaks them on demand. Everything listens on loopback only, and
//! ends with the process that started it.

pub mod account;
pub mod blueprint;
pub mod call;
pub mod clock;
pub mod deploy;
pub mod deployed;
pub mod fault;
pub mod function;
pub mod hand_over;
pub mod naming;
pub mod page;
pub mod protocol;
pub mod proxy;
pub mod rules;
pub mod run;
pub mod running;
pub mod scenario;
pub mod secrets;
pub mod show;
mod socket;
pub mod stage;
pub mod stages;
pub mod template;
pub mod timeline;
pub mod tools;
pub mod torture;
pub mod verify;
