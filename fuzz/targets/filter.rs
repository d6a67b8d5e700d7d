//! Any text is a filter or is refused; what is a filter prints as itself and gives an answer.
#![no_main]

use latchkey_scim::schema::{GROUP_TYPE, USER_TYPE};
use latchkey_scim::{Limits, Resource, filter};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(read) = filter::parse(text, &Limits::default()) else { return };
    let printed = read.to_string();
    let limits = Limits { filter_length: usize::MAX, ..Limits::default() };
    assert_eq!(filter::parse(&printed, &limits).as_ref(), Ok(&read), "{printed}");
    for ty in [&USER_TYPE, &GROUP_TYPE] {
        if let Ok(resolved) = filter::resolve(&read, ty) {
            let _ = filter::matches(&resolved, &Resource::default());
        }
    }
});
