//! Rows as SCIM documents.

use latchkey_access::member::Version;
use latchkey_engine::Error;
use latchkey_engine::directory::{GroupAnswer, UserAnswer};
use latchkey_kernel::Timestamp;
use latchkey_scim::projection::Projection;
use latchkey_scim::render::{Answer, Link, Meta};
use latchkey_scim::schema::{GROUP_TYPE, ResourceType, USER_TYPE};

/// A row that SCIM shows.
pub(crate) trait Shown {
    /// Its kind.
    const TYPE: &'static ResourceType;

    /// Its id.
    fn id(&self) -> String;

    /// Its version.
    fn version(&self) -> Version;

    /// Writes the document behind what is in `out`.
    fn write(&self, out: &mut String, base: &str, projection: &Projection) -> Result<(), Error>;

    /// The document.
    fn document(&self, base: &str, projection: &Projection) -> Result<String, Error> {
        let mut out = String::with_capacity(2_048);
        self.write(&mut out, base, projection)?;
        Ok(out)
    }

    /// Where it is.
    fn location(&self, base: &str) -> String {
        format!("{base}{}/{}", Self::TYPE.endpoint, self.id())
    }
}

impl Shown for UserAnswer {
    const TYPE: &'static ResourceType = &USER_TYPE;

    fn id(&self) -> String {
        self.member.id.to_string()
    }

    fn version(&self) -> Version {
        self.member.version
    }

    fn write(&self, out: &mut String, base: &str, projection: &Projection) -> Result<(), Error> {
        let member = &self.member;
        let row = Row {
            ty: Self::TYPE,
            stored: &member.resource,
            id: self.id(),
            times: (member.created_at, member.modified_at),
            version: member.version,
        };
        row.write(out, base, projection, self.teams.iter().map(|(id, name)| (id.to_string(), name.as_str())))
    }
}

impl Shown for GroupAnswer {
    const TYPE: &'static ResourceType = &GROUP_TYPE;

    fn id(&self) -> String {
        self.team.id.to_string()
    }

    fn version(&self) -> Version {
        self.team.version
    }

    fn write(&self, out: &mut String, base: &str, projection: &Projection) -> Result<(), Error> {
        let team = &self.team;
        let row = Row {
            ty: Self::TYPE,
            stored: &team.resource,
            id: self.id(),
            times: (team.created_at, team.modified_at),
            version: team.version,
        };
        let members = self.members.iter().flatten();
        row.write(out, base, projection, members.map(|m| (m.id.to_string(), m.display.as_str())))
    }
}

/// What both kinds have.
struct Row<'a> {
    ty: &'static ResourceType,
    stored: &'a str,
    id: String,
    times: (Timestamp, Timestamp),
    version: Version,
}

impl Row<'_> {
    fn write<'l>(
        &self,
        out: &mut String,
        base: &str,
        projection: &Projection,
        links: impl Iterator<Item = (String, &'l str)>,
    ) -> Result<(), Error> {
        let links: Vec<(String, &str)> = links.collect();
        let links: Vec<Link<'_>> = links.iter().map(|(id, display)| Link { id, display }).collect();
        let (created, modified, version) =
            (self.times.0.to_string(), self.times.1.to_string(), self.version.0.to_string());
        let answer = Answer {
            ty: self.ty,
            stored: self.stored,
            id: &self.id,
            base,
            meta: Meta { created: &created, last_modified: &modified, version: &version },
            links: &links,
        };
        answer
            .write(out, projection)
            .map_err(|source| Error::Damaged { what: "resource", source: Box::new(source) })
    }
}
