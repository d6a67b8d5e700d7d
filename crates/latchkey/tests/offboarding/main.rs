//! Leaving and coming back, over HTTP: what is cut, what is planned, who follows, what returns.

#[path = "../support/mod.rs"]
mod support;

mod doors;
mod matrix;
mod mixed;
mod ownership;
mod report;
mod rotations;
mod scene;
mod waves;
