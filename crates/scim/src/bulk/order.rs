//! Which operation comes next.

use std::collections::{BTreeSet, HashMap};

use super::reference;
use super::request::{BulkRequest, Method, Operation, Order};
use super::response::{self, Entry};
use crate::Error;
use crate::etag::Preconditions;
use crate::json::{Json, Object};
use crate::schema::ResourceType;

/// A bulk request under way.
#[derive(Debug)]
pub struct Bulk {
    base: String,
    errors_left: usize,
    operations: Vec<Operation>,
    /// What came of each operation; none for those that were not tried.
    entries: Vec<Option<Entry>>,
    /// The ids behind the client's names.
    ids: HashMap<String, Named>,
    /// What is still to do, by position and then link after operation.
    waiting: Vec<Work>,
    /// What the caller is doing.
    current: Option<Work>,
}

/// One thing for the caller to do.
#[derive(Debug, Clone)]
pub struct Step {
    /// What to do.
    pub method: Method,
    /// With what.
    pub ty: &'static ResourceType,
    /// With which one; none for a POST.
    pub id: Option<String>,
    /// On what it depends.
    pub conditions: Preconditions,
    /// The body, without references; null for a DELETE.
    pub data: Json,
}

/// What came of a step.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was done.
    Done {
        /// 200, 201 or 204.
        status: u16,
        /// The resource's id.
        id: String,
        /// The opaque part of its version, where it still is.
        version: Option<String>,
    },
    /// It was refused or failed.
    Failed(Error),
}

/// What is behind a `bulkId`.
#[derive(Debug, Clone)]
enum Named {
    Pending,
    Id(String),
    Failed,
}

/// An operation, or the link that a creation left for later.
#[derive(Debug)]
struct Work {
    at: usize,
    link: Option<Link>,
    /// The operations that it refers to.
    needs: BTreeSet<String>,
    /// Those of them that are not through.
    open: BTreeSet<String>,
    /// The operation on the same resource that must be through.
    after: Option<usize>,
}

#[derive(Debug)]
struct Link {
    id: String,
    values: Vec<(String, Json)>,
}

impl Bulk {
    /// Lines the operations up. `base` is the URL of the SCIM root, for the locations in the answer.
    pub fn new(request: BulkRequest, base: impl Into<String>) -> Self {
        let operations = request.operations;
        let creates =
            |operation: &&Operation| matches!(&operation.order, Ok(order) if order.method == Method::Post);
        let names = operations.iter().filter(creates).filter_map(|operation| operation.bulk_id.clone());
        let ids: HashMap<String, Named> = names.map(|name| (name, Named::Pending)).collect();
        let mut last_on: HashMap<String, usize> = HashMap::new();
        let mut waiting = Vec::with_capacity(operations.len());
        for (at, operation) in operations.iter().enumerate() {
            let mut needs = BTreeSet::new();
            let mut after = None;
            if let Ok(order) = &operation.order {
                reference::collect(&order.data, &mut needs);
                if let Some(id) = &order.id {
                    needs.extend(reference::named(id).map(str::to_owned));
                    after = last_on.insert(format!("{}/{id}", order.ty.endpoint), at);
                }
            }
            let open = needs.iter().filter(|name| ids.contains_key(*name)).cloned().collect();
            waiting.push(Work { at, link: None, needs, open, after });
        }
        Self {
            base: base.into(),
            errors_left: request.fail_on_errors.unwrap_or(usize::MAX),
            entries: operations.iter().map(|_| None).collect(),
            ids,
            operations,
            waiting,
            current: None,
        }
    }

    /// What to do next; `None` when all is done, or when as many failed as the client bears.
    /// Each step must be answered by [`Bulk::done`] before the next one is asked for.
    pub fn next_step(&mut self) -> Option<Step> {
        while self.errors_left > 0 {
            let ready = self.waiting.iter().position(|work| self.is_ready(work));
            let work = match ready {
                Some(at) => self.waiting.remove(at),
                None => self.part_circle()?,
            };
            match self.step(&work) {
                Ok(step) => {
                    self.current = Some(work);
                    return Some(step);
                }
                Err(error) => self.fail(work.at, error),
            }
        }
        None
    }

    /// Takes in what came of the last step.
    pub fn done(&mut self, outcome: Outcome) {
        let Some(work) = self.current.take() else { return };
        let at = work.at;
        match outcome {
            Outcome::Failed(error) => self.fail(at, error),
            Outcome::Done { status, id, version } => {
                let Ok(order) = &self.operations[at].order else { return };
                let location = format!("{}{}/{id}", self.base, order.ty.endpoint);
                let is_linked = work.link.is_some();
                let status = if is_linked { 201 } else { status };
                self.entries[at] = Some(Entry { status, location: Some(location), version, error: None });
                if order.method == Method::Post && !is_linked {
                    self.created(at, &id);
                }
            }
        }
    }

    /// The answer: one entry for each operation that was tried (RFC 7644 §3.7.3).
    pub fn into_response(self) -> String {
        response::write(&self.operations, &self.entries)
    }

    fn is_ready(&self, work: &Work) -> bool {
        work.open.is_empty() && work.after.is_none_or(|before| self.is_over(before))
    }

    /// Whether nothing of the operation is still to be done.
    fn is_over(&self, at: usize) -> bool {
        self.entries[at].is_some() && self.waiting.iter().all(|work| work.at != at)
    }

    /// Everything waits for something: the first creation goes ahead without the references that
    /// are open, and a link is left that sets them. Only creations are waited for, so there is one.
    fn part_circle(&mut self) -> Option<Work> {
        let is_creation = |work: &Work| work.link.is_none() && self.creates(work.at);
        let first = self.waiting.iter().position(is_creation)?;
        let mut work = self.waiting.remove(first);
        let open = std::mem::take(&mut work.open);
        if let Ok(order) = &mut self.operations[work.at].order {
            let (now, later) = reference::split(&order.data, &open);
            order.data = now;
            work.needs.retain(|name| !open.contains(name));
            let link = Some(Link { id: String::new(), values: later });
            self.waiting.insert(first, Work { at: work.at, link, needs: open.clone(), open, after: None });
        }
        Some(work)
    }

    fn creates(&self, at: usize) -> bool {
        matches!(&self.operations[at].order, Ok(order) if order.method == Method::Post)
    }

    fn step(&self, work: &Work) -> Result<Step, Error> {
        let order = self.operations[work.at].order.as_ref().map_err(Clone::clone)?;
        for name in &work.needs {
            match self.ids.get(name) {
                Some(Named::Id(_)) => {}
                Some(Named::Failed | Named::Pending) => {
                    let detail = format!("bulkId:{name} has no id, because that operation failed");
                    return Err(Error::new(409, None, detail));
                }
                None => {
                    let detail = format!("bulkId:{name} is no POST of this request");
                    return Err(Error::invalid_value(detail));
                }
            }
        }
        let id_of = |name: &str| self.id_of(name);
        if let Some(link) = &work.link {
            return Ok(Step {
                method: Method::Patch,
                ty: order.ty,
                id: Some(link.id.clone()),
                conditions: Preconditions::default(),
                data: reference::substitute(&link_body(link), &id_of),
            });
        }
        let id = order.id.as_deref().and_then(|id| self.target_id(id));
        let conditions = order.conditions.clone();
        let Order { method, ty, ref data, .. } = *order;
        Ok(Step { method, ty, id, conditions, data: reference::substitute(data, &id_of) })
    }

    fn id_of(&self, name: &str) -> Option<String> {
        match self.ids.get(name) {
            Some(Named::Id(id)) => Some(id.clone()),
            _ => None,
        }
    }

    /// The id in a path, which may be a reference.
    fn target_id(&self, id: &str) -> Option<String> {
        reference::named(id).map_or_else(|| Some(id.to_owned()), |name| self.id_of(name))
    }

    fn created(&mut self, at: usize, id: &str) {
        self.settle(at, Named::Id(id.to_owned()));
        for link in self.waiting.iter_mut().filter(|work| work.at == at).filter_map(|work| work.link.as_mut())
        {
            id.clone_into(&mut link.id);
        }
    }

    /// Nobody waits for this creation any more.
    fn settle(&mut self, at: usize, named: Named) {
        let Some(name) = self.operations[at].bulk_id.clone() else { return };
        self.waiting.iter_mut().for_each(|work| {
            work.open.remove(&name);
        });
        self.ids.insert(name, named);
    }

    fn fail(&mut self, at: usize, error: Error) {
        self.waiting.retain(|work| work.at != at);
        let (location, error) = match self.entries[at].take() {
            // Created, and the link failed: it is there, so it can be found.
            Some(entry) => {
                let detail = format!("it was created, but not linked: {}", error.detail);
                (entry.location, Error { detail, ..error })
            }
            None if self.creates(at) => {
                self.settle(at, Named::Failed);
                (None, error)
            }
            None => (self.target_location(at), error),
        };
        self.entries[at] = Some(Entry { status: error.status, location, version: None, error: Some(error) });
        self.errors_left -= 1;
    }

    fn target_location(&self, at: usize) -> Option<String> {
        let order = self.operations[at].order.as_ref().ok()?;
        let id = self.target_id(order.id.as_deref()?)?;
        Some(format!("{}{}/{id}", self.base, order.ty.endpoint))
    }
}

/// A PATCH that adds the values.
fn link_body(link: &Link) -> Json {
    let text = |text: &str| Json::String(text.to_owned());
    let operations = link.values.iter().map(|(path, value)| {
        let members = [
            ("op".to_owned(), text("add")),
            ("path".to_owned(), text(path)),
            ("value".to_owned(), value.clone()),
        ];
        Json::Object(members.into_iter().collect())
    });
    let mut body = Object::default();
    body.set("schemas", Json::Array(vec![text("urn:ietf:params:scim:api:messages:2.0:PatchOp")]));
    body.set("Operations", Json::Array(operations.collect()));
    Json::Object(body)
}
