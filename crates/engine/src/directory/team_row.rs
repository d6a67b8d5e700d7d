//! From a SCIM Group to the columns of a team, and back.

use latchkey_access::Team;
use latchkey_scim::filter::fold;
use latchkey_scim::schema::GROUP_TYPE;
use latchkey_scim::{Resource, Value};

use crate::Error;

/// The team with these attributes; its version and members stay.
pub(super) fn onto(team: &Team, resource: &Resource) -> Team {
    let display_name = resource.text("displayName").unwrap_or_default().to_owned();
    Team {
        display_name_key: fold(&display_name).into_owned(),
        display_name,
        external_id: resource.text("externalId").map(str::to_owned),
        resource: resource.to_stored(),
        ..team.clone()
    }
}

/// The attributes of a team without its members, as last written.
pub(super) fn resource_of(team: &Team) -> Result<Resource, Error> {
    Resource::from_stored(&GROUP_TYPE, &team.resource).map_err(|error| Error::damaged("team", error))
}

/// A team with another name, in the columns and in what SCIM reads. A fresh team has no resource yet.
pub(crate) fn renamed_team(team: &Team, name: &str) -> Result<Team, Error> {
    let mut resource = if team.resource.is_empty() { Resource::default() } else { resource_of(team)? };
    resource.core.set("displayName", Value::String(name.to_owned()));
    Ok(onto(team, &resource))
}
