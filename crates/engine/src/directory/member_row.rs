//! From a SCIM User to the columns of a member, and back.

use latchkey_access::Member;
use latchkey_access::member::MemberState;
use latchkey_scim::filter::fold;
use latchkey_scim::{Complex, Resource, Value};

use crate::Error;
use crate::members::NewMember;

/// The columns that follow from the attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) user_name: String,
    pub(super) user_name_key: String,
    pub(super) external_id: Option<String>,
    pub(super) display_name: String,
    pub(super) work_email: Option<String>,
    pub(super) work_email_key: Option<String>,
    pub(super) other_email_keys: Vec<String>,
    /// As written; absent says nothing of whether the member is in.
    pub(super) active: Option<bool>,
    /// The canonical text.
    pub(super) resource: String,
}

impl Columns {
    /// What follows from a new resource: without `active` a member is active, and is shown to be.
    pub(super) fn of_new(mut resource: Resource) -> Self {
        if resource.core.get("active").is_none() {
            resource.core.set("active", Value::Bool(true));
        }
        Self::of(&resource)
    }

    /// What follows from a validated resource.
    pub(super) fn of(resource: &Resource) -> Self {
        let active = resource.core.get("active").and_then(Value::as_bool);
        let user_name = resource.text("userName").unwrap_or_default().to_owned();
        let (work_email, other_email_keys) = emails(resource);
        Self {
            user_name_key: fold(&user_name).into_owned(),
            external_id: resource.text("externalId").map(str::to_owned),
            display_name: display_name(resource).unwrap_or_else(|| user_name.clone()),
            work_email_key: work_email.as_deref().map(|email| fold(email).into_owned()),
            work_email,
            other_email_keys,
            active,
            resource: resource.to_stored(),
            user_name,
        }
    }

    /// The member with these attributes; its standing, role and version stay.
    pub(super) fn onto(&self, member: &Member) -> Member {
        Member {
            user_name: self.user_name.clone(),
            user_name_key: self.user_name_key.clone(),
            external_id: self.external_id.clone(),
            display_name: self.display_name.clone(),
            work_email: self.work_email.clone(),
            work_email_key: self.work_email_key.clone(),
            resource: self.resource.clone(),
            ..member.clone()
        }
    }
}

/// The attributes of a member, as last written.
pub(super) fn resource_of(member: &Member) -> Result<Resource, Error> {
    Resource::from_stored(&latchkey_scim::schema::USER_TYPE, &member.resource)
        .map_err(|error| Error::damaged("member", error))
}

/// The canonical text of a member whose `active` another than the directory changes.
pub(crate) fn resource_with_active(member: &Member, state: MemberState) -> Result<String, Error> {
    let mut resource = resource_of(member)?;
    resource.core.set("active", Value::Bool(state == MemberState::Active));
    Ok(resource.to_stored())
}

/// A member who is added here and not by the directory; `blank` has what does not follow from the words.
pub(crate) fn local_member(new: &NewMember, blank: &Member) -> Member {
    let mut resource = Resource::default();
    resource.core.set("userName", Value::String(new.user_name.clone()));
    if let Some(name) = &new.display_name {
        resource.core.set("displayName", Value::String(name.clone()));
    }
    if let Some(address) = &new.work_email {
        let mut email = Complex::new();
        email.set("value", Value::String(address.clone()));
        email.set("type", Value::String("work".to_owned()));
        email.set("primary", Value::Bool(true));
        resource.core.set("emails", Value::List(vec![Value::Complex(email)]));
    }
    Columns::of_new(resource).onto(blank)
}

/// The folded addresses apart from the work address.
pub(super) fn other_email_keys(resource: &Resource) -> Vec<String> {
    emails(resource).1
}

/// What the mapping leaves out and what follows from it.
pub(super) fn hints(columns: &Columns, resource: &Resource) -> Vec<String> {
    let mut hints = Vec::new();
    if columns.work_email.is_none() {
        hints.push(
            "no emails[type eq \"work\"].value: the member gets no invitation and no notices".to_owned(),
        );
    }
    let name = |part| resource.core.get("name").and_then(Value::as_complex).and_then(|n| n.get(part));
    for part in ["givenName", "familyName"] {
        if name(part).is_none() {
            hints.push(format!("no name.{part}: people will look for the member by userName"));
        }
    }
    if columns.external_id.is_none() {
        hints.push(
            "no externalId: somebody who is deleted and comes back is not recognised as the same person"
                .to_owned(),
        );
    }
    hints
}

fn display_name(resource: &Resource) -> Option<String> {
    if let Some(name) = resource.text("displayName") {
        return Some(name.to_owned());
    }
    let name = resource.core.get("name").and_then(Value::as_complex)?;
    let part = |which: &str| name.get(which).and_then(Value::as_str);
    part("formatted").map(str::to_owned).or_else(|| match (part("givenName"), part("familyName")) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (given, family) => given.or(family).map(str::to_owned),
    })
}

/// The work address, and the folded others. Without a type `work` there is no work address:
/// a private one must not get the company's mail.
fn emails(resource: &Resource) -> (Option<String>, Vec<String>) {
    let entries: Vec<&Complex> = resource
        .core
        .get("emails")
        .map(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_complex)
        .collect();
    let text = |entry: &Complex, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_work = |entry: &&&Complex| text(entry, "type").is_some_and(|t| t.eq_ignore_ascii_case("work"));
    let work = entries.iter().find(is_work).and_then(|entry| text(entry, "value"));
    let mut others: Vec<String> = entries
        .iter()
        .filter_map(|entry| text(entry, "value"))
        .filter(|value| work.as_ref() != Some(value))
        .map(|value| fold(&value).into_owned())
        .collect();
    others.sort_unstable();
    others.dedup();
    (work, others)
}
