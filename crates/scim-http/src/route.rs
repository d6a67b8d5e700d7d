//! The table of routes. The dispatcher reads it, so what is listed is what is served.

use axum::http::Method;

/// Where SCIM begins on this host.
pub const BASE: &str = "/v1/scim/v2";

/// What a request has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// A directory's bearer token.
    DirectoryToken,
}

/// What is done for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A ListResponse for the query string.
    List(Kind),
    /// A ListResponse for a SearchRequest (RFC 7644 §3.4.3).
    Search(Kind),
    /// One new resource.
    Create(Kind),
    /// One resource.
    Get(Kind),
    /// One resource, written anew.
    Replace(Kind),
    /// Parts of one resource.
    Patch(Kind),
    /// The end of one resource.
    Delete(Kind),
    /// Many of these at once.
    Bulk,
    /// The caller's own resource.
    Me,
    /// What this server can do.
    ServiceProviderConfig,
    /// The kinds of resources.
    ResourceTypes,
    /// One kind of resource.
    ResourceType,
    /// The schemas.
    Schemas,
    /// One schema.
    Schema,
}

/// The resources that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Users.
    User,
    /// Groups.
    Group,
    /// Both: a query at the root.
    Any,
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    /// The method.
    pub(crate) method: &'static Method,
    /// The path below [`BASE`]; a segment in braces matches any one segment.
    pub(crate) path: &'static str,
    /// What it demands.
    pub(crate) auth: Auth,
    /// What it does.
    pub(crate) action: Action,
}

const fn route(method: &'static Method, path: &'static str, action: Action) -> Route {
    Route { method, path, auth: Auth::DirectoryToken, action }
}

/// Every route, fixed segments before those in braces.
pub(crate) static ROUTES: &[Route] = &[
    route(&Method::GET, "/", Action::List(Kind::Any)),
    route(&Method::POST, "/.search", Action::Search(Kind::Any)),
    route(&Method::GET, "/Users", Action::List(Kind::User)),
    route(&Method::POST, "/Users", Action::Create(Kind::User)),
    route(&Method::POST, "/Users/.search", Action::Search(Kind::User)),
    route(&Method::GET, "/Users/{id}", Action::Get(Kind::User)),
    route(&Method::PUT, "/Users/{id}", Action::Replace(Kind::User)),
    route(&Method::PATCH, "/Users/{id}", Action::Patch(Kind::User)),
    route(&Method::DELETE, "/Users/{id}", Action::Delete(Kind::User)),
    route(&Method::GET, "/Groups", Action::List(Kind::Group)),
    route(&Method::POST, "/Groups", Action::Create(Kind::Group)),
    route(&Method::POST, "/Groups/.search", Action::Search(Kind::Group)),
    route(&Method::GET, "/Groups/{id}", Action::Get(Kind::Group)),
    route(&Method::PUT, "/Groups/{id}", Action::Replace(Kind::Group)),
    route(&Method::PATCH, "/Groups/{id}", Action::Patch(Kind::Group)),
    route(&Method::DELETE, "/Groups/{id}", Action::Delete(Kind::Group)),
    route(&Method::GET, "/Me", Action::Me),
    route(&Method::POST, "/Me", Action::Me),
    route(&Method::PUT, "/Me", Action::Me),
    route(&Method::PATCH, "/Me", Action::Me),
    route(&Method::DELETE, "/Me", Action::Me),
    route(&Method::POST, "/Bulk", Action::Bulk),
    route(&Method::GET, "/ServiceProviderConfig", Action::ServiceProviderConfig),
    route(&Method::GET, "/ResourceTypes", Action::ResourceTypes),
    route(&Method::GET, "/ResourceTypes/{name}", Action::ResourceType),
    route(&Method::GET, "/Schemas", Action::Schemas),
    route(&Method::GET, "/Schemas/{urn}", Action::Schema),
];

/// Every method and absolute path that is served, and what it demands.
pub fn routes() -> Vec<(Method, String, Auth)> {
    ROUTES.iter().map(|route| (route.method.clone(), format!("{BASE}{}", route.path), route.auth)).collect()
}

/// What the table says of a request.
#[derive(Debug)]
pub(crate) enum Found<'p> {
    /// The route, and the segment that its braces match, still percent-encoded.
    Route(&'static Route, &'p str),
    /// The path is served for these methods only.
    Methods(Vec<&'static Method>),
    /// No such path.
    Nothing,
}

/// Looks up a path below [`BASE`]; a slash at its end makes no difference.
pub(crate) fn find<'p>(method: &Method, path: &'p str) -> Found<'p> {
    // HEAD is GET without the body (RFC 9110 §9.3.2); the server leaves the body out.
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let mut methods = Vec::new();
    let mut template = None;
    for route in ROUTES {
        let Some(segment) = match_path(route.path, path) else { continue };
        // A fixed path shadows one in braces: `/Users/.search` is no user's id.
        if *template.get_or_insert(route.path) != route.path {
            continue;
        }
        if route.method == method {
            return Found::Route(route, segment);
        }
        methods.push(route.method);
    }
    if methods.is_empty() { Found::Nothing } else { Found::Methods(methods) }
}

/// The segment in braces (empty if there is none) when the path fits the template.
fn match_path<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let template = template.strip_suffix('/').unwrap_or(template);
    match template.split_once('{') {
        None => (path == template).then_some(""),
        Some((before, _)) => path.strip_prefix(before).filter(|rest| !rest.is_empty() && !rest.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_route_is_the_one_found() {
        for route in ROUTES {
            let path = route.path.replace(['{', '}'], "");
            let Found::Route(found, _) = find(route.method, &path) else { panic!("{path} is not found") };
            assert!(std::ptr::eq(found, route), "{} {path}", route.method);
        }
    }

    #[test]
    fn a_fixed_path_is_nobodys_id() {
        assert!(
            matches!(find(&Method::POST, "/Users/.search"), Found::Route(r, _) if r.action == Action::Search(Kind::User))
        );
        let Found::Methods(methods) = find(&Method::GET, "/Users/.search") else { panic!("it is a path") };
        assert_eq!(methods, [&Method::POST]);
    }

    #[test]
    fn a_slash_at_the_end_makes_no_difference_and_one_within_does() {
        assert!(
            matches!(find(&Method::GET, "/Users/"), Found::Route(r, "") if r.action == Action::List(Kind::User))
        );
        assert!(matches!(find(&Method::GET, ""), Found::Route(r, "") if r.action == Action::List(Kind::Any)));
        assert!(matches!(find(&Method::HEAD, "/Users/x"), Found::Route(_, "x")));
        assert!(matches!(find(&Method::GET, "/Users/x/y"), Found::Nothing));
        assert!(matches!(find(&Method::GET, "/users"), Found::Nothing), "paths have case");
    }
}
