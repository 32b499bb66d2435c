//! The command `tourniquet`, for the people on call: why did it act, what would it have done, do not do it here, take it
//! back, what happened this month, is everything in place.
//!
//! It is made of the very rooms that the Lambda functions are made of, and runs with the operator's own AWS
//! credentials, so that no function needs a permission that opens anything. Each command is a module:
//!
//! | command | module |
//! | --- | --- |
//! | `history` | [`history`]: the records of the journal |
//! | `explain` | [`explain`]: one event, and what a function would do about it |
//! | `replay` | [`replay`]: recorded events by the million |
//! | `exempt` | [`exempt`]: exemptions |
//! | `undo` | [`undo`]: a record taken back |
//! | `report` | [`report`]: a period as a page |
//! | `doctor` | [`doctor`]: what is deployed, and whether it is well |

pub mod agree;
pub mod aws;
pub mod cli;
pub mod doctor;
pub mod exempt;
pub mod explain;
pub mod failure;
pub mod functions;
pub mod history;
pub mod journal;
pub mod out;
pub mod page;
pub mod records;
pub mod replay;
pub mod report;
pub mod rooms;
pub mod table;
pub mod triggers;
pub mod undo;
pub mod words;

pub use cli::main;
