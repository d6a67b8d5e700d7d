//! The company that the demo sends: people and groups from the shipped sample or the user's own
//! CSV or JSON file.
//!
//! A file is read whole and checked whole before anything is sent. Every bad row is reported with
//! its row and column, not only the first, because whoever mends a file wants to mend it once.

mod check;
mod column;
mod company;
mod csv;
mod json;
mod problem;
mod row;

pub(crate) use company::{Company, Group, Person};
pub(crate) use problem::BadPeople;
