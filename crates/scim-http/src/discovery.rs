//! What this server can do: written once at start, as it never changes while it runs.

use latchkey_engine::directory::CURSOR_TIME;
use latchkey_scim::discovery::Service;
use latchkey_scim::schema::{RESOURCE_TYPES, SCHEMAS};
use latchkey_scim::{Error, Limits};

use crate::failure::Failure;
use crate::reply::Reply;
use crate::route::Action;
use crate::serve::{Call, Outcome};

/// The documents.
#[derive(Debug)]
pub(crate) struct Discovery {
    config: String,
    resource_types: String,
    resource_type: Vec<(&'static str, String)>,
    schemas: String,
    schema: Vec<(&'static str, String)>,
}

impl Discovery {
    pub(crate) fn new(base: &str, limits: &Limits) -> Self {
        let service = Service {
            base,
            limits,
            documentation: None,
            cursor_timeout: i64::try_from(CURSOR_TIME.as_secs()).ok(),
        };
        let types = RESOURCE_TYPES.iter().filter_map(|ty| Some((ty.name, service.resource_type(ty.name)?)));
        let schemas = SCHEMAS.iter().filter_map(|schema| Some((schema.id, service.schema(schema.id)?)));
        Self {
            config: service.service_provider_config(),
            resource_types: service.resource_types(),
            resource_type: types.collect(),
            schemas: service.schemas(),
            schema: schemas.collect(),
        }
    }
}

/// Answers a discovery route.
pub(crate) fn answer(call: &Call<'_>, action: Action) -> Outcome {
    if call.parameter("filter").is_some() {
        // RFC 7644 §4: a filter here is answered with 403.
        return Err(Error::new(403, None, "this endpoint shows everything and takes no filter").into());
    }
    let discovery = &call.scim.discovery;
    let one = |documents: &[(&'static str, String)], what: &str| -> Result<String, Failure> {
        let found = documents.iter().find(|(name, _)| name.eq_ignore_ascii_case(&call.segment));
        let missing = || Error::not_found(format!("there is no {what} of this name here"));
        Ok(found.map(|(_, document)| document.clone()).ok_or_else(missing)?)
    };
    Ok(Reply::ok(match action {
        Action::ServiceProviderConfig => discovery.config.clone(),
        Action::ResourceTypes => discovery.resource_types.clone(),
        Action::ResourceType => one(&discovery.resource_type, "resource type")?,
        Action::Schemas => discovery.schemas.clone(),
        Action::Schema => one(&discovery.schema, "schema")?,
        _ => return Err(Failure::no_route()),
    }))
}
