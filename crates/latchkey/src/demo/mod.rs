//! `latchkey demo`.
mod entra;
mod people;
