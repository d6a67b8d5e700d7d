//! Any text is a PATCH path or is refused; what is a path prints as itself.
#![no_main]

use latchkey_scim::Limits;
use latchkey_scim::path::PatchPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(read) = PatchPath::parse(text, &Limits::default()) else { return };
    let limits = Limits { filter_length: usize::MAX, ..Limits::default() };
    let printed = read.to_string();
    assert_eq!(PatchPath::parse(&printed, &limits).as_ref(), Ok(&read), "{printed}");
});
