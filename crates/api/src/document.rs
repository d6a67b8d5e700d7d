//! The OpenAPI document, made of the table of endpoints.

use utoipa::openapi::path::PathItem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, OpenApi, OpenApiBuilder, PathsBuilder};

use crate::ApiState;
use crate::endpoint::Table;
use crate::routes;

/// The OpenAPI 3.1 description of the management API.
pub fn openapi() -> OpenApi {
    let table = Table::<ApiState>::of(routes::endpoints());
    let mut paths = PathsBuilder::new();
    for (method, path, operation) in table.operations {
        paths = paths.path(path, PathItem::new(method, operation));
    }
    let mut info = Info::new("Latchkey management API", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "Members, teams, accounts, grants, offboarding, audit and tokens of one workspace. \
         The token says which workspace. Failures are problem details (RFC 9457)."
            .to_owned(),
    );
    let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = ComponentsBuilder::new()
        .schemas_from_iter(table.schemas)
        .security_scheme("token", token)
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}
