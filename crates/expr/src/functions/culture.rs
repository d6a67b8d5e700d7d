//! The one difference that a culture makes to upper and lower case: the Turkish i.

use crate::error::EvalError;
use crate::evaluate::Call;

/// Whether the culture that a call names as its second parameter has a dotted and a dotless i.
pub(super) fn turkic(call: &Call<'_, '_>) -> Result<bool, EvalError> {
    let culture = call.text(1)?.unwrap_or_default();
    let language = culture.split(['-', '_']).next().unwrap_or_default();
    Ok(language.eq_ignore_ascii_case("tr") || language.eq_ignore_ascii_case("az"))
}
