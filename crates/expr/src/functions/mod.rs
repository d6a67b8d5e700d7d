//! The functions, one file each: signature, help, examples and rule.
//!
//! `culture`, `diacritics`, `roles` and `sample` are what several of them share.

mod app_role_assignments;
mod app_role_assignments_complex;
mod append;
mod assertive_app_role_assignments_complex;
mod bit_and;
mod c_bool;
mod c_date;
mod c_str;
mod coalesce;
mod convert_from_base64;
mod convert_to_base64;
mod convert_to_utf8_hex;
mod count;
mod culture;
mod date_add;
mod date_diff;
mod date_from_num;
mod default_domain;
mod diacritics;
mod dn_component;
mod error;
mod format_date_time;
mod guid;
mod ignore_flow_if_null_or_empty;
mod iif;
mod in_str;
mod is_null;
mod is_null_or_empty;
mod is_present;
mod is_string;
mod item;
mod join;
mod left;
mod mid;
mod normalize_diacritics;
mod not;
mod now;
mod num_from_date;
mod p_case;
mod prepend;
mod random_string;
mod redact;
mod remove_duplicates;
mod replace;
mod roles;
mod sample;
mod select_unique_value;
mod single_app_role_assignment;
mod split;
mod string_from_sid;
mod strip_spaces;
mod switch;
mod to_lower;
mod to_upper;
mod trim;
mod word;

pub use sample::sample;

use crate::signature::Function;

/// Every function, sorted by name.
pub static FUNCTIONS: &[Function] = &[
    app_role_assignments::FUNCTION,
    app_role_assignments_complex::FUNCTION,
    append::FUNCTION,
    assertive_app_role_assignments_complex::FUNCTION,
    bit_and::FUNCTION,
    c_bool::FUNCTION,
    c_date::FUNCTION,
    c_str::FUNCTION,
    coalesce::FUNCTION,
    convert_from_base64::FUNCTION,
    convert_to_base64::FUNCTION,
    convert_to_utf8_hex::FUNCTION,
    count::FUNCTION,
    dn_component::FUNCTION,
    date_add::FUNCTION,
    date_diff::FUNCTION,
    date_from_num::FUNCTION,
    default_domain::FUNCTION,
    error::FUNCTION,
    format_date_time::FUNCTION,
    guid::FUNCTION,
    iif::FUNCTION,
    ignore_flow_if_null_or_empty::FUNCTION,
    in_str::FUNCTION,
    is_null::FUNCTION,
    is_null_or_empty::FUNCTION,
    is_present::FUNCTION,
    is_string::FUNCTION,
    item::FUNCTION,
    join::FUNCTION,
    left::FUNCTION,
    mid::FUNCTION,
    normalize_diacritics::FUNCTION,
    not::FUNCTION,
    now::FUNCTION,
    num_from_date::FUNCTION,
    p_case::FUNCTION,
    prepend::FUNCTION,
    random_string::FUNCTION,
    redact::FUNCTION,
    remove_duplicates::FUNCTION,
    replace::FUNCTION,
    select_unique_value::FUNCTION,
    single_app_role_assignment::FUNCTION,
    split::FUNCTION,
    string_from_sid::FUNCTION,
    strip_spaces::FUNCTION,
    switch::FUNCTION,
    to_lower::FUNCTION,
    to_upper::FUNCTION,
    trim::FUNCTION,
    word::FUNCTION,
];

/// The function of this name, which is case-sensitive, or of one of its other spellings.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    let by_name =
        FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok().and_then(|at| FUNCTIONS.get(at));
    by_name.or_else(|| FUNCTIONS.iter().find(|function| function.aliases.contains(&name)))
}

#[cfg(test)]
mod tests;
