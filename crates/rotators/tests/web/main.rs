//! The connectors for the web hold what every connector must hold, at the practice service: a
//! real server that is told to answer late, twice, wrongly or never.

mod bench;
mod browser;
mod claims;
mod http;
mod webhook;
