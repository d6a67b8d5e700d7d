//! One table says what is served: method, path, action, what goes in and what comes out. The
//! router, the check of tokens, the list of routes and the OpenAPI document are all made of it,
//! so that none can say what another does not.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodRouter, on};
use axum::{Router, http};
use latchkey_access::authority::Action;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Content, KnownFormat, ObjectBuilder, RefOr, Required, ResponseBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::problem::Document;

/// Where the API begins.
pub(crate) const BASE: &str = "/v1/api";

/// One method on one path.
pub(crate) struct Endpoint<S> {
    method: HttpMethod,
    path: &'static str,
    action: Option<Action>,
    operation: OperationBuilder,
    schemas: Vec<(String, RefOr<Schema>)>,
    handler: Option<MethodRouter<S>>,
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// An endpoint that performs an action for who may; `summary` is its line in the document.
    pub(crate) fn new(method: HttpMethod, path: &'static str, action: Action, summary: &str) -> Self {
        let operation = OperationBuilder::new()
            .summary(Some(summary))
            .tag(tag_of(path))
            .security(SecurityRequirement::new("token", [action.needs().0.as_str()]))
            .response("default", problem_response());
        let mut endpoint =
            Self { method, path, action: Some(action), operation, schemas: Vec::new(), handler: None };
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(String::schema()));
            endpoint.operation = endpoint.operation.parameter(parameter);
        }
        endpoint
    }

    /// An endpoint that anybody may ask.
    pub(crate) fn open(method: HttpMethod, path: &'static str, summary: &str) -> Self {
        let operation = OperationBuilder::new().summary(Some(summary)).tag(tag_of(path)).securities(Some([]));
        Self { method, path, action: None, operation, schemas: Vec::new(), handler: None }
    }

    /// Its query parameters.
    pub(crate) fn query<Q: IntoParams>(mut self) -> Self {
        let parameters = Q::into_params(|| Some(ParameterIn::Query));
        self.operation = self.operation.parameters(Some(parameters));
        self
    }

    /// What its body is.
    pub(crate) fn takes<B: ToSchema>(mut self) -> Self {
        let content = Content::new(Some(self.reference::<B>()));
        let body = RequestBodyBuilder::new()
            .content("application/json", content)
            .required(Some(Required::True))
            .build();
        self.operation = self.operation.request_body(Some(body));
        self
    }

    /// What it answers, and with which status.
    pub(crate) fn gives<A: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let content = Content::new(Some(self.reference::<A>()));
        let response = ResponseBuilder::new().description(description).content("application/json", content);
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// That it answers with a file of this media type.
    pub(crate) fn gives_file(mut self, status: u16, media_type: &str, description: &str) -> Self {
        let bytes = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let content = Content::new(Some(Schema::Object(bytes.build())));
        let response = ResponseBuilder::new().description(description).content(media_type, content);
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// That it answers 204 and nothing else.
    pub(crate) fn gives_nothing(mut self) -> Self {
        let response = ResponseBuilder::new().description("Done; there is no body.");
        self.operation = self.operation.response("204", response);
        self
    }

    /// Who answers.
    pub(crate) fn by<T: 'static>(mut self, handler: impl Handler<T, S>) -> Self {
        self.handler = Some(on(filter_of(&self.method), handler));
        self
    }

    /// That its body may be larger than others'; after [`Endpoint::by`].
    pub(crate) fn with_room(mut self, bytes: usize) -> Self {
        self.handler = self.handler.map(|handler| handler.layer(DefaultBodyLimit::max(bytes)));
        self
    }

    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(utoipa::openapi::Ref::from_schema_name(name))
    }
}

/// All endpoints, taken apart into what each reader of the table needs.
pub(crate) struct Table<S> {
    /// By path.
    pub(crate) router: Router<S>,
    /// By path and method: the action that it performs.
    pub(crate) actions: Arc<Actions>,
    /// Method, path and the kind of token.
    pub(crate) routes: Vec<(&'static str, &'static str, &'static str)>,
    /// For the document.
    pub(crate) operations: Vec<(HttpMethod, &'static str, Operation)>,
    /// For the document.
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
}

/// By path as the router matches it, then method: the action, or `None` for an open endpoint.
pub(crate) type Actions = HashMap<&'static str, Vec<(http::Method, Option<Action>)>>;

impl<S: Clone + Send + Sync + 'static> Table<S> {
    pub(crate) fn of(endpoints: Vec<Endpoint<S>>) -> Self {
        let mut actions = Actions::new();
        let mut table = Self {
            router: Router::new(),
            actions: Arc::default(),
            routes: Vec::new(),
            operations: Vec::new(),
            schemas: Vec::new(),
        };
        for endpoint in endpoints {
            let path = endpoint.path;
            let method = method_of(&endpoint.method);
            let auth = if endpoint.action.is_some() { "api" } else { "none" };
            actions.entry(path).or_default().push((method.0, endpoint.action));
            table.routes.push((method.1, path, auth));
            table.router = table
                .router
                .route(path, endpoint.handler.expect("every endpoint of the table has a handler"));
            table.operations.push((endpoint.method, path, endpoint.operation.build()));
            table.schemas.extend(endpoint.schemas);
        }
        table.schemas.push((Document::name().into_owned(), Document::schema()));
        table.actions = Arc::new(actions);
        table
    }
}

fn problem_response() -> ResponseBuilder {
    let reference = RefOr::Ref(utoipa::openapi::Ref::from_schema_name(Document::name()));
    ResponseBuilder::new()
        .description("Why it was not done.")
        .content("application/problem+json", Content::new(Some(reference)))
}

/// The first word of a path: what the document sorts by.
fn tag_of(path: &str) -> &str {
    path.strip_prefix(BASE).unwrap_or(path).trim_start_matches('/').split('/').next().unwrap_or_default()
}

fn method_of(method: &HttpMethod) -> (http::Method, &'static str) {
    match method {
        HttpMethod::Post => (http::Method::POST, "POST"),
        HttpMethod::Put => (http::Method::PUT, "PUT"),
        HttpMethod::Patch => (http::Method::PATCH, "PATCH"),
        HttpMethod::Delete => (http::Method::DELETE, "DELETE"),
        _ => (http::Method::GET, "GET"),
    }
}

fn filter_of(method: &HttpMethod) -> axum::routing::MethodFilter {
    axum::routing::MethodFilter::try_from(method_of(method).0).unwrap_or(axum::routing::MethodFilter::GET)
}
