//! From a resolved filter to a condition over columns that the store has indexed.
//!
//! Where a comparison means exactly what a column says, it moves into SQL; where a column only
//! narrows down, it narrows, and the comparison is evaluated on what is left; where no column
//! helps, only the evaluation is left. The result never matches less than the filter.

use latchkey_access::MemberState;
use latchkey_kernel::Timestamp;
use latchkey_scim::filter::{Check, Op, Resolved, Typed};
use latchkey_scim::{Error, Target};
use latchkey_store::{MemberColumn, MemberTest, Order, TeamColumn, TeamTest, TextOp, TimeColumn, Where};

/// A condition, and what of the filter it leaves to be evaluated row by row.
#[derive(Debug)]
pub(super) struct Compiled<W> {
    pub(super) condition: W,
    pub(super) rest: Option<Resolved>,
}

/// A row's tests, and how a filter's leaves come to them.
pub(super) trait Columns: Sized + PartialEq {
    /// The attribute that lives in rows of its own and not in the resource.
    const LINKS: &'static str;
    /// A comparison of one attribute.
    fn leaf(path: &str, check: &Check) -> Leaf<Self>;
    /// Several comparisons of one value of a complex attribute.
    fn values(path: &str, filter: &Resolved) -> Leaf<Self>;
}

/// What a leaf comes to.
pub(super) enum Leaf<T> {
    /// The condition says all of it.
    Exact(Where<T>),
    /// The condition matches that and maybe more.
    Narrowed(Where<T>),
    /// No column helps.
    Opaque,
}

/// Compiles a filter.
///
/// # Errors
/// 400 `invalidFilter` for a comparison of `groups` or `members` that no index answers.
pub(super) fn compile<T: Columns>(filter: &Resolved) -> Result<Compiled<Where<T>>, Error> {
    let leaf = |leaf: Leaf<T>, target: &Target| match leaf {
        Leaf::Exact(condition) => Ok(Compiled { condition, rest: None }),
        Leaf::Narrowed(condition) => Ok(Compiled { condition, rest: Some(filter.clone()) }),
        Leaf::Opaque if target.attribute.name == T::LINKS => Err(Error::invalid_filter(format!(
            "filter: {target} is served by eq with an id and by pr, as {} eq \"<id>\"",
            T::LINKS
        ))),
        // They are made for an answer and stand in no row; to evaluate them would match nothing.
        Leaf::Opaque if target.attribute.name == "meta" && is_made(target) => {
            let detail = format!("filter: {target} is not served; use id, meta.created or meta.lastModified");
            Err(Error::invalid_filter(detail))
        }
        Leaf::Opaque => Ok(Compiled { condition: Where::Every, rest: Some(filter.clone()) }),
    };
    match filter {
        Resolved::Constant(true) => Ok(Compiled { condition: Where::Every, rest: None }),
        Resolved::Constant(false) => Ok(Compiled { condition: nothing(), rest: None }),
        Resolved::HasExtension(_) => Ok(Compiled { condition: Where::Every, rest: Some(filter.clone()) }),
        Resolved::And(terms) => {
            let (mut conditions, mut rest) = (Vec::new(), Vec::new());
            for term in terms {
                let compiled = compile(term)?;
                conditions.push(compiled.condition);
                rest.extend(compiled.rest);
            }
            // What the condition has answered exactly is not asked again.
            let rest = if rest.len() > 1 { Some(Resolved::And(rest)) } else { rest.pop() };
            Ok(Compiled { condition: every(conditions), rest })
        }
        Resolved::Or(terms) => {
            let compiled = terms.iter().map(compile::<T>).collect::<Result<Vec<_>, _>>()?;
            let exact = compiled.iter().all(|term| term.rest.is_none());
            if !exact {
                evaluable::<T>(filter)?;
            }
            let condition = if compiled.iter().any(|term| term.condition == Where::Every) {
                Where::Every
            } else {
                Where::Or(compiled.into_iter().map(|term| term.condition).collect())
            };
            Ok(Compiled { condition, rest: (!exact).then(|| filter.clone()) })
        }
        Resolved::Not(inner) => {
            let compiled = compile::<T>(inner)?;
            if compiled.rest.is_none() {
                return Ok(Compiled { condition: not(compiled.condition), rest: None });
            }
            // The opposite of what only narrows would leave out rows that match.
            evaluable::<T>(filter)?;
            Ok(Compiled { condition: Where::Every, rest: Some(filter.clone()) })
        }
        Resolved::Is(target, check) => leaf(T::leaf(&target.to_string(), check), target),
        Resolved::Values(target, inner) => leaf(T::values(&target.to_string(), inner), target),
    }
}

/// Whether it is a part of `meta` that follows from where the resource is and how often it changed.
fn is_made(target: &Target) -> bool {
    target.sub.is_some_and(|sub| ["location", "version"].contains(&sub.name))
}

/// Refuses to evaluate a filter row by row that asks for what is not in the row.
fn evaluable<T: Columns>(filter: &Resolved) -> Result<(), Error> {
    if !mentions(filter, T::LINKS) {
        return Ok(());
    }
    Err(Error::invalid_filter(format!(
        "filter: {} can be joined by \"or\" and negated only together with attributes that have an index; ask for it alone or joined by \"and\"",
        T::LINKS
    )))
}

fn mentions(filter: &Resolved, attribute: &str) -> bool {
    match filter {
        Resolved::And(terms) | Resolved::Or(terms) => terms.iter().any(|term| mentions(term, attribute)),
        Resolved::Not(inner) => mentions(inner, attribute),
        Resolved::Is(target, _) | Resolved::Values(target, _) => target.attribute.name == attribute,
        Resolved::Constant(_) | Resolved::HasExtension(_) => false,
    }
}

/// The condition that holds for no row.
const fn nothing<T>() -> Where<T> {
    Where::Or(Vec::new())
}

/// All of these, without those that say nothing; a single one stands for itself.
fn every<T: PartialEq>(mut conditions: Vec<Where<T>>) -> Where<T> {
    conditions.retain(|condition| *condition != Where::Every);
    match conditions.len() {
        0 => Where::Every,
        1 => conditions.pop().unwrap_or(Where::Every),
        _ => Where::And(conditions),
    }
}

fn not<T>(condition: Where<T>) -> Where<T> {
    Where::Not(Box::new(condition))
}

/// How a text column is compared: what is absent matches nothing, `ne` included.
const fn text_op(op: Op) -> TextOp {
    match op {
        Op::Eq => TextOp::Is(Order::Equal),
        Op::Ne => TextOp::Is(Order::NotEqual),
        Op::Gt => TextOp::Is(Order::Greater),
        Op::Ge => TextOp::Is(Order::GreaterOrEqual),
        Op::Lt => TextOp::Is(Order::Less),
        Op::Le => TextOp::Is(Order::LessOrEqual),
        Op::Co => TextOp::Contains,
        Op::Sw => TextOp::StartsWith,
        Op::Ew => TextOp::EndsWith,
    }
}

/// A comparison of a text column.
fn text<T>(check: &Check, column: impl Fn(TextOp, String) -> T, present: T) -> Leaf<T> {
    match check {
        // An empty text is no value (RFC 7644 §3.4.2.2), and a column may hold one.
        Check::Present => Leaf::Exact(Where::And(vec![
            Where::Test(present),
            Where::Test(column(TextOp::Is(Order::NotEqual), String::new())),
        ])),
        Check::Compare(op, Typed::Exact(value) | Typed::Folded(value)) => {
            Leaf::Exact(Where::Test(column(text_op(*op), value.clone())))
        }
        Check::Compare(..) => Leaf::Opaque,
    }
}

/// An instant as clients see it, in whole milliseconds, compared with a column in microseconds.
fn time<T>(check: &Check, since: impl Fn(Timestamp) -> T) -> Leaf<T> {
    let Check::Compare(op, Typed::Instant(instant)) = check else {
        return match check {
            Check::Present => Leaf::Exact(Where::Every),
            Check::Compare(..) => Leaf::Opaque,
        };
    };
    let since = |at| Where::Test(since(at));
    let micros = instant.as_microsecond();
    let floor = Timestamp::from_micros(micros.div_euclid(1_000) * 1_000);
    let next = Timestamp::from_micros(floor.as_micros() + 1_000);
    let is_whole = floor.as_micros() == micros && instant.subsec_nanosecond() % 1_000 == 0;
    let at_least = || since(if is_whole { floor } else { next });
    let equal = || if is_whole { Where::And(vec![since(floor), not(since(next))]) } else { nothing() };
    Leaf::Exact(match op {
        Op::Gt => since(next),
        Op::Ge => at_least(),
        Op::Lt => not(at_least()),
        Op::Le => not(since(next)),
        Op::Eq => equal(),
        Op::Ne => not(equal()),
        Op::Co | Op::Sw | Op::Ew => return Leaf::Opaque,
    })
}

/// A comparison with an id: what is no id of ours is nobody's.
fn id<T, I: std::str::FromStr>(check: &Check, is: impl Fn(I) -> T) -> Leaf<T> {
    match check {
        Check::Present => Leaf::Exact(Where::Every),
        Check::Compare(op @ (Op::Eq | Op::Ne), Typed::Exact(value) | Typed::Folded(value)) => {
            let found = value.parse().map_or_else(|_| nothing(), |id| Where::Test(is(id)));
            Leaf::Exact(if *op == Op::Eq { found } else { not(found) })
        }
        Check::Compare(..) => Leaf::Opaque,
    }
}

/// That a link is there; `ne` would ask whether another one is, which nobody does.
fn link<T, I: std::str::FromStr>(check: &Check, is: impl Fn(I) -> T) -> Leaf<T> {
    match check {
        Check::Compare(Op::Eq, _) => id(check, is),
        _ => Leaf::Opaque,
    }
}

impl Columns for MemberTest {
    const LINKS: &'static str = "groups";

    fn leaf(path: &str, check: &Check) -> Leaf<Self> {
        let column = |column: MemberColumn| {
            text(check, |op, value| Self::Text(column, op, value), Self::Present(column))
        };
        let since = |column: TimeColumn| time(check, |at| Self::Time(column, Order::GreaterOrEqual, at));
        match path {
            "id" => id(check, Self::Id),
            "userName" => column(MemberColumn::UserNameKey),
            "externalId" => column(MemberColumn::ExternalId),
            "active" => active(check),
            "emails.value" => email(check),
            "groups.value" => link(check, Self::InTeam),
            "meta.created" => since(TimeColumn::CreatedAt),
            "meta.lastModified" => since(TimeColumn::ModifiedAt),
            _ => Leaf::Opaque,
        }
    }

    /// `emails[type eq "work"].value eq "…"`: who has that address at all is a handful.
    fn values(path: &str, filter: &Resolved) -> Leaf<Self> {
        let narrowing = |term: &Resolved| match term {
            Resolved::Is(target, check) => match Self::leaf(&target.to_string(), check) {
                Leaf::Exact(condition) => Some(condition),
                Leaf::Narrowed(_) | Leaf::Opaque => None,
            },
            _ => None,
        };
        if path == "groups" {
            return only_link(filter);
        }
        let conditions: Vec<Where<Self>> =
            if path == "emails" { terms(filter).iter().filter_map(narrowing).collect() } else { Vec::new() };
        if conditions.is_empty() { Leaf::Opaque } else { Leaf::Narrowed(every(conditions)) }
    }
}

fn active(check: &Check) -> Leaf<MemberTest> {
    let state = |active: bool| {
        let state = if active { MemberState::Active } else { MemberState::Inactive };
        Leaf::Exact(Where::Test(MemberTest::State(state)))
    };
    match check {
        Check::Present => Leaf::Exact(Where::Every),
        Check::Compare(Op::Eq, Typed::Bool(active)) => state(*active),
        Check::Compare(Op::Ne, Typed::Bool(active)) => state(!*active),
        Check::Compare(..) => Leaf::Opaque,
    }
}

/// Any address: the work address stands in the member's row, the others in rows of their own.
fn email(check: &Check) -> Leaf<MemberTest> {
    let Check::Compare(op, Typed::Folded(value)) = check else { return Leaf::Opaque };
    let op = text_op(*op);
    Leaf::Exact(Where::Or(vec![
        Where::Test(MemberTest::Text(MemberColumn::WorkEmailKey, op, value.clone())),
        Where::Test(MemberTest::OtherEmail(op, value.clone())),
    ]))
}

impl Columns for TeamTest {
    const LINKS: &'static str = "members";

    fn leaf(path: &str, check: &Check) -> Leaf<Self> {
        let column = |column: TeamColumn| {
            text(check, |op, value| Self::Text(column, op, value), Self::Present(column))
        };
        let since = |column: TimeColumn| time(check, |at| Self::Time(column, Order::GreaterOrEqual, at));
        match path {
            "id" => id(check, Self::Id),
            "displayName" => column(TeamColumn::DisplayNameKey),
            "externalId" => column(TeamColumn::ExternalId),
            "members" | "members.value" if *check == Check::Present => {
                Leaf::Exact(Where::Test(Self::AnyMember))
            }
            "members.value" => link(check, Self::HasMember),
            "meta.created" => since(TimeColumn::CreatedAt),
            "meta.lastModified" => since(TimeColumn::ModifiedAt),
            _ => Leaf::Opaque,
        }
    }

    fn values(path: &str, filter: &Resolved) -> Leaf<Self> {
        if path == "members" { only_link(filter) } else { Leaf::Opaque }
    }
}

/// `members[value eq "…"]`, where nothing else is asked of the link.
fn only_link<T: Columns>(filter: &Resolved) -> Leaf<T> {
    match terms(filter) {
        [Resolved::Is(target, check)] => T::leaf(&target.to_string(), check),
        _ => Leaf::Opaque,
    }
}

/// The terms that all have to hold.
fn terms(filter: &Resolved) -> &[Resolved] {
    match filter {
        Resolved::And(terms) => terms,
        one => std::slice::from_ref(one),
    }
}
