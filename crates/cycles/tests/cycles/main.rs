//! Cycles over a directory, a provider and a ledger in memory.

mod checklist;
mod simulation;
mod world;
