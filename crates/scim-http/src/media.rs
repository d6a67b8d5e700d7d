//! Media types, read as such and not compared as strings (RFC 7644 §8.1, RFC 9110 §8.3).

use latchkey_scim::Error;

/// The media type of every answer.
pub(crate) const SCIM_JSON: &str = "application/scim+json";

/// Accepts the types in which a SCIM body may come.
///
/// A body without a type is read as SCIM: some clients leave it out, and it can be nothing else.
///
/// # Errors
/// 415 for another type or a charset that is not UTF-8.
pub(crate) fn check_content_type(header: Option<&[u8]>) -> Result<(), Error> {
    let Some(header) = header else { return Ok(()) };
    let refused = |why: &str| {
        let detail = format!("{why}; send the body as {SCIM_JSON} or application/json in UTF-8");
        Error::new(415, None, detail)
    };
    let text = std::str::from_utf8(header).map_err(|_| refused("the Content-Type is not text"))?;
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    if !essence.eq_ignore_ascii_case(SCIM_JSON) && !essence.eq_ignore_ascii_case("application/json") {
        return Err(refused("the Content-Type is none that SCIM has"));
    }
    for part in parts.filter(|part| !part.is_empty()) {
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| refused("the Content-Type has a parameter without a value"))?;
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("charset") && !is_utf8(value) {
            return Err(refused("the body's charset is not UTF-8"));
        }
    }
    Ok(())
}

/// Whether an answer in [`SCIM_JSON`] is one that the client takes; without any line it is.
///
/// # Errors
/// 406 when the client rules out JSON in every form.
pub(crate) fn check_accept<'h>(lines: impl Iterator<Item = &'h [u8]>) -> Result<(), Error> {
    let mut lines = lines.map(String::from_utf8_lossy).peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    // Several lines are one list (RFC 9110 §5.3).
    let takes = lines.collect::<Vec<_>>().join(",").split(',').any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let ruled_out = parts.any(|p| {
            matches!(p.split_once('='), Some((q, weight))
            if q.trim().eq_ignore_ascii_case("q") && weight.trim().parse::<f32>().is_ok_and(|w| w <= 0.0))
        });
        let known = ["*/*", "application/*", SCIM_JSON, "application/json"];
        !ruled_out && (essence.is_empty() || known.iter().any(|k| essence.eq_ignore_ascii_case(k)))
    });
    if takes {
        return Ok(());
    }
    Err(Error::new(406, None, format!("answers are {SCIM_JSON}; take that, application/json or */*")))
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_read_with_its_parameters() {
        for good in [
            "application/scim+json",
            "application/json",
            "Application/SCIM+JSON; Charset=UTF-8",
            "application/scim+json;charset=\"utf-8\"",
            "application/json; charset=utf8;",
            "application/json; version=1",
        ] {
            assert_eq!(check_content_type(Some(good.as_bytes())), Ok(()), "{good}");
        }
        assert_eq!(check_content_type(None), Ok(()));
        for bad in [
            "",
            "text/json",
            "application/jsonp",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/json, text/plain",
            "application/json; charset",
        ] {
            let error = check_content_type(Some(bad.as_bytes())).unwrap_err();
            assert_eq!(error.status, 415, "{bad}");
        }
        assert_eq!(check_content_type(Some(b"application/json\xff")).unwrap_err().status, 415);
    }

    #[test]
    fn an_answer_is_refused_only_to_who_rules_json_out() {
        for good in
            ["*/*", "application/json", "text/html, application/*;q=0.1", "", "application/scim+json;q=1"]
        {
            assert_eq!(check_accept([good.as_bytes()].into_iter()), Ok(()), "{good}");
        }
        for bad in ["text/html", "application/json;q=0", "application/xml, text/*"] {
            assert_eq!(check_accept([bad.as_bytes()].into_iter()).unwrap_err().status, 406, "{bad}");
        }
        assert_eq!(check_accept(std::iter::empty()), Ok(()));
        let lines = [&b"text/html"[..], b"application/scim+json"];
        assert_eq!(check_accept(lines.into_iter()), Ok(()), "the second line counts too");
    }
}
