//! Versions of resources as entity tags (RFC 7644 §3.14, RFC 9110 §13.1).
//!
//! SCIM sends weak tags and uses them in `If-Match` all the same, where HTTP would want strong
//! ones. So `W/` is ignored and the opaque parts are compared.

use crate::Error;

/// The weak tag of a version, as in the `ETag` header and in `meta.version`.
pub fn weak(version: &str) -> String {
    format!("W/\"{version}\"")
}

/// On what a request depends. Without a condition, on nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any version of a resource that exists.
    Any,
    /// One of these opaque parts.
    OneOf(Vec<String>),
}

impl Preconditions {
    /// Reads the `If-Match` and `If-None-Match` headers, each as one string with its lines
    /// joined by commas.
    ///
    /// # Errors
    /// 400 `invalidSyntax` for a header that is no list of tags: reading it as "no condition"
    /// would overwrite what the client wants to protect.
    pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Result<Self, Error> {
        let tags = |name, header: Option<&str>| header.map(|header| Tags::parse(name, header)).transpose();
        Ok(Self {
            if_match: tags("If-Match", if_match)?,
            if_none_match: tags("If-None-Match", if_none_match)?,
        })
    }

    /// The `version` of a bulk operation, which stands for If-Match (RFC 7644 §3.7).
    ///
    /// # Errors
    /// 400 `invalidSyntax` when it is no tag.
    pub fn of_version(version: &str) -> Result<Self, Error> {
        // Some clients send the opaque part alone.
        if version.contains('"') || version.trim() == "*" {
            Self::parse(Some(version), None)
        } else {
            Ok(Self { if_match: Some(Tags::OneOf(vec![version.to_owned()])), if_none_match: None })
        }
    }

    /// Whether a write may go on, given the opaque part of the present version; `None` when
    /// there is no such resource.
    ///
    /// # Errors
    /// 412 when a condition does not hold.
    pub fn check(&self, present: Option<&str>) -> Result<(), Error> {
        if self.if_match.as_ref().is_some_and(|tags| !tags.hit(present)) {
            return Err(Error::new(
                412,
                None,
                "the resource has another version now; read it again and retry",
            ));
        }
        if self.if_none_match.as_ref().is_some_and(|tags| tags.hit(present)) {
            return Err(Error::new(412, None, "the resource has the version that If-None-Match excludes"));
        }
        Ok(())
    }

    /// Whether a GET is answered with 304, given the opaque part of the present version.
    pub fn not_modified(&self, present: &str) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.hit(Some(present)))
    }
}

impl Tags {
    fn parse(name: &str, header: &str) -> Result<Self, Error> {
        let wrong = || Error::invalid_syntax(format!("{name} takes * or entity tags as W/\"3\""));
        if header.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = header.trim();
        while !rest.is_empty() {
            let open = rest.strip_prefix("W/").or_else(|| rest.strip_prefix("w/")).unwrap_or(rest);
            let (tag, behind) =
                open.strip_prefix('"').and_then(|tag| tag.split_once('"')).ok_or_else(wrong)?;
            tags.push(tag.to_owned());
            rest = behind.trim_start();
            // A tag may hold a comma, so the list is not split at commas.
            match rest.strip_prefix(',') {
                Some(next) => rest = next.trim_start(),
                None if rest.is_empty() => {}
                None => return Err(wrong()),
            }
        }
        if tags.is_empty() { Err(wrong()) } else { Ok(Self::OneOf(tags)) }
    }

    fn hit(&self, present: Option<&str>) -> bool {
        match self {
            Self::Any => present.is_some(),
            Self::OneOf(tags) => present.is_some_and(|present| tags.iter().any(|tag| tag == present)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Preconditions, weak};

    #[test]
    fn if_match_compares_the_opaque_part() {
        let cases = [
            (None, Some("3"), true),
            (None, None, true),
            (Some("*"), Some("3"), true),
            (Some("*"), None, false),
            (Some("W/\"3\""), Some("3"), true),
            (Some("\"3\""), Some("3"), true),
            (Some("\"1\", W/\"3\" ,\"x,y\""), Some("3"), true),
            (Some("\"1\",\"x,y\""), Some("x,y"), true),
            (Some("\"33\""), Some("3"), false),
            (Some("\"3\""), None, false),
        ];
        for (header, present, holds) in cases {
            let result = Preconditions::parse(header, None).unwrap().check(present);
            assert_eq!(result.is_ok(), holds, "{header:?} {present:?}");
            assert!(result.map_err(|error| error.status).err().is_none_or(|status| status == 412));
        }
    }

    #[test]
    fn if_none_match_answers_a_get_and_stops_a_write() {
        let conditions = Preconditions::parse(None, Some("W/\"3\"")).unwrap();
        assert!(conditions.not_modified("3") && !conditions.not_modified("4"));
        assert!(conditions.check(Some("3")).is_err() && conditions.check(Some("4")).is_ok());
        let any = Preconditions::parse(None, Some("*")).unwrap();
        assert!(any.not_modified("3") && any.check(None).is_ok());
        assert!(!Preconditions::default().not_modified("3"));
    }

    #[test]
    fn what_is_no_tag_is_refused_and_not_read_as_no_condition() {
        for header in ["", "3", "\"3", "W/3", "\"3\" \"4\"", "\"3\";", "*,\"3\""] {
            let error = Preconditions::parse(Some(header), None).unwrap_err();
            assert_eq!((error.status, error.scim_type.unwrap().as_str()), (400, "invalidSyntax"), "{header}");
        }
    }

    #[test]
    fn a_bulk_version_may_be_the_opaque_part_alone() {
        assert_eq!(weak("3"), "W/\"3\"");
        for version in ["3", "W/\"3\"", "\"3\"", "*"] {
            assert!(Preconditions::of_version(version).unwrap().check(Some("3")).is_ok(), "{version}");
        }
        assert!(Preconditions::of_version("2").unwrap().check(Some("3")).is_err());
    }
}
