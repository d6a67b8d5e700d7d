//! From a resolved filter to a condition over columns that the store has indexed.
//!
//! Where a comparison means exactly what a column says, it moves into SQL; where a column only
//! narrows down, it narrows, and the comparison is evaluated on what is left; where no column
//! helps, only the evaluation is left. The result never matches less than the filter.

use latchkey_kernel::Timestamp;
use latchkey_scim::filter::{Check, Op, Resolved, Typed};
use latchkey_scim::{Error, Target};
use latchkey_store::{MemberColumn, MemberWhere, TeamColumn, TeamWhere, TextOp, TimeColumn};

/// A condition, and what of the filter it leaves to be evaluated row by row.
#[derive(Debug)]
pub(super) struct Compiled<W> {
    pub(super) condition: W,
    pub(super) rest: Option<Resolved>,
}

/// For users.
///
/// # Errors
/// 400 `invalidFilter` for a comparison of `groups` that no index answers.
pub(super) fn members(filter: &Resolved) -> Result<Compiled<MemberWhere>, Error> {
    compile(filter)
}

/// For groups.
///
/// # Errors
/// 400 `invalidFilter` for a comparison of `members` that no index answers.
pub(super) fn teams(filter: &Resolved) -> Result<Compiled<TeamWhere>, Error> {
    compile(filter)
}

/// What a leaf comes to.
enum Leaf<W> {
    /// The condition says all of it.
    Exact(W),
    /// The condition matches that and maybe more.
    Narrowed(W),
    /// No column helps.
    Opaque,
}

/// The conditions of one kind of row.
trait Condition: Sized {
    fn all() -> Self;
    fn none() -> Self;
    fn and(terms: Vec<Self>) -> Self;
    fn or(terms: Vec<Self>) -> Self;
    fn not(term: Self) -> Self;
    /// A comparison of one attribute.
    fn leaf(path: &str, check: &Check) -> Leaf<Self>;
    /// Several comparisons of one value of a complex attribute.
    fn values(path: &str, filter: &Resolved) -> Leaf<Self>;
    /// The attribute that lives in rows of its own and not in the resource.
    const LINKS: &'static str;
}

fn compile<W: Condition>(filter: &Resolved) -> Result<Compiled<W>, Error> {
    let leaf = |leaf: Leaf<W>, target: &Target| match leaf {
        Leaf::Exact(condition) => Ok(Compiled { condition, rest: None }),
        Leaf::Narrowed(condition) => Ok(Compiled { condition, rest: Some(filter.clone()) }),
        Leaf::Opaque if target.attribute.name == W::LINKS => Err(Error::invalid_filter(format!(
            "filter: {target} is served with eq and ne on an id, as {} eq \"<id>\"",
            W::LINKS
        ))),
        Leaf::Opaque => Ok(Compiled { condition: W::all(), rest: Some(filter.clone()) }),
    };
    match filter {
        Resolved::Constant(true) => Ok(Compiled { condition: W::all(), rest: None }),
        Resolved::Constant(false) => Ok(Compiled { condition: W::none(), rest: None }),
        Resolved::HasExtension(_) => Ok(Compiled { condition: W::all(), rest: Some(filter.clone()) }),
        Resolved::And(terms) => {
            let (mut conditions, mut rest) = (Vec::new(), Vec::new());
            for term in terms {
                let compiled = compile(term)?;
                conditions.push(compiled.condition);
                rest.extend(compiled.rest);
            }
            // What the condition has answered exactly is not asked again.
            let rest = match rest.len() {
                0 => None,
                1 => rest.pop(),
                _ => Some(Resolved::And(rest)),
            };
            Ok(Compiled { condition: W::and(conditions), rest })
        }
        Resolved::Or(terms) => {
            let compiled = terms.iter().map(compile::<W>).collect::<Result<Vec<_>, _>>()?;
            let exact = compiled.iter().all(|term| term.rest.is_none());
            let condition = W::or(compiled.into_iter().map(|term| term.condition).collect());
            evaluable::<W>(filter, exact)?;
            Ok(Compiled { condition, rest: (!exact).then(|| filter.clone()) })
        }
        Resolved::Not(inner) => {
            let compiled = compile::<W>(inner)?;
            if compiled.rest.is_none() {
                return Ok(Compiled { condition: W::not(compiled.condition), rest: None });
            }
            // The opposite of what only narrows would leave out rows that match.
            evaluable::<W>(filter, false)?;
            Ok(Compiled { condition: W::all(), rest: Some(filter.clone()) })
        }
        Resolved::Is(target, check) => leaf(W::leaf(&target.to_string(), check), target),
        Resolved::Values(target, inner) => leaf(W::values(&target.to_string(), inner), target),
    }
}

/// Refuses to evaluate a filter row by row that asks for what is not in the row.
fn evaluable<W: Condition>(filter: &Resolved, exact: bool) -> Result<(), Error> {
    if exact || !mentions(filter, W::LINKS) {
        return Ok(());
    }
    Err(Error::invalid_filter(format!(
        "filter: {} can be joined by \"or\" and negated only together with attributes that have an index; ask for it alone or joined by \"and\"",
        W::LINKS
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

/// The positive operator and whether it is negated: a column that is null matches neither.
const fn text_op(op: Op) -> Option<TextOp> {
    Some(match op {
        Op::Eq => TextOp::Equal,
        Op::Co => TextOp::Contains,
        Op::Sw => TextOp::StartsWith,
        Op::Ew => TextOp::EndsWith,
        Op::Gt => TextOp::Greater,
        Op::Ge => TextOp::GreaterOrEqual,
        Op::Lt => TextOp::Less,
        Op::Le => TextOp::LessOrEqual,
        Op::Ne => return None,
    })
}

/// A comparison of a text column: `ne` is "there, and not equal".
fn text<W: Condition>(
    check: &Check,
    column: impl Fn(TextOp, String) -> W,
    present: impl Fn() -> W,
) -> Leaf<W> {
    let Check::Compare(op, Typed::Exact(value) | Typed::Folded(value)) = check else {
        return match check {
            Check::Present => Leaf::Exact(present()),
            Check::Compare(..) => Leaf::Opaque,
        };
    };
    match text_op(*op) {
        Some(op) => Leaf::Exact(column(op, value.clone())),
        None => Leaf::Exact(W::and(vec![present(), W::not(column(TextOp::Equal, value.clone()))])),
    }
}

/// An instant as clients see it, in whole milliseconds, compared with a column in microseconds.
fn time<W: Condition>(check: &Check, since: impl Fn(Timestamp) -> W) -> Leaf<W> {
    let Check::Compare(op, Typed::Instant(instant)) = check else {
        return match check {
            Check::Present => Leaf::Exact(W::all()),
            Check::Compare(..) => Leaf::Opaque,
        };
    };
    let micros = instant.as_microsecond();
    let floor = Timestamp::from_micros(micros.div_euclid(1_000) * 1_000);
    let next = Timestamp::from_micros(floor.as_micros() + 1_000);
    let is_whole = floor.as_micros() == micros && instant.subsec_nanosecond() % 1_000 == 0;
    let at_least = || since(if is_whole { floor } else { next });
    let equal = || if is_whole { W::and(vec![since(floor), W::not(since(next))]) } else { W::none() };
    Leaf::Exact(match op {
        Op::Gt => since(next),
        Op::Ge => at_least(),
        Op::Lt => W::not(at_least()),
        Op::Le => W::not(since(next)),
        Op::Eq => equal(),
        Op::Ne => W::not(equal()),
        Op::Co | Op::Sw | Op::Ew => return Leaf::Opaque,
    })
}

/// A comparison with an id: what is no id of ours is nobody's.
fn id<W: Condition, I: std::str::FromStr>(check: &Check, is: impl Fn(I) -> W) -> Leaf<W> {
    match check {
        Check::Present => Leaf::Opaque,
        Check::Compare(op @ (Op::Eq | Op::Ne), Typed::Exact(value) | Typed::Folded(value)) => {
            let found = value.parse().map_or_else(|_| W::none(), is);
            Leaf::Exact(if *op == Op::Eq { found } else { W::not(found) })
        }
        Check::Compare(..) => Leaf::Opaque,
    }
}

impl Condition for MemberWhere {
    const LINKS: &'static str = "groups";

    fn all() -> Self {
        Self::All
    }

    fn none() -> Self {
        Self::None
    }

    fn and(terms: Vec<Self>) -> Self {
        Self::And(terms)
    }

    fn or(terms: Vec<Self>) -> Self {
        Self::Or(terms)
    }

    fn not(term: Self) -> Self {
        Self::Not(Box::new(term))
    }

    fn leaf(path: &str, check: &Check) -> Leaf<Self> {
        let column = |column: MemberColumn| {
            text(check, |op, value| Self::Text(column, op, value), || Self::Present(column))
        };
        match path {
            "id" if *check == Check::Present => Leaf::Exact(Self::All),
            "id" => id(check, Self::Id),
            "userName" => column(MemberColumn::UserNameKey),
            "externalId" => column(MemberColumn::ExternalId),
            "active" => match check {
                Check::Present => Leaf::Exact(Self::All),
                Check::Compare(Op::Eq, Typed::Bool(active)) => Leaf::Exact(Self::Active(*active)),
                Check::Compare(Op::Ne, Typed::Bool(active)) => Leaf::Exact(Self::Active(!*active)),
                Check::Compare(..) => Leaf::Opaque,
            },
            // Any address: the work address and the others stand in different places.
            "emails.value" => match check {
                Check::Compare(op, Typed::Folded(value)) => match text_op(*op) {
                    Some(op) => Leaf::Exact(Self::Email(op, value.clone())),
                    None => Leaf::Opaque,
                },
                _ => Leaf::Opaque,
            },
            // A membership is one row, and `ne` on a list means that another value is there.
            "groups.value" => match check {
                Check::Compare(Op::Eq, _) => id(check, Self::InTeam),
                _ => Leaf::Opaque,
            },
            "meta.created" => time(check, |at| Self::Since(TimeColumn::Created, at)),
            "meta.lastModified" => time(check, |at| Self::Since(TimeColumn::Modified, at)),
            _ => Leaf::Opaque,
        }
    }

    fn values(path: &str, filter: &Resolved) -> Leaf<Self> {
        if path != "emails" {
            return Leaf::Opaque;
        }
        // `emails[type eq "work"].value eq "…"`: who has that address at all is a handful.
        let conditions: Vec<Self> = terms(filter)
            .iter()
            .filter_map(|term| match term {
                Resolved::Is(target, check) => match Self::leaf(&target.to_string(), check) {
                    Leaf::Exact(condition) => Some(condition),
                    Leaf::Narrowed(_) | Leaf::Opaque => None,
                },
                _ => None,
            })
            .collect();
        if conditions.is_empty() { Leaf::Opaque } else { Leaf::Narrowed(Self::And(conditions)) }
    }
}

impl Condition for TeamWhere {
    const LINKS: &'static str = "members";

    fn all() -> Self {
        Self::All
    }

    fn none() -> Self {
        Self::None
    }

    fn and(terms: Vec<Self>) -> Self {
        Self::And(terms)
    }

    fn or(terms: Vec<Self>) -> Self {
        Self::Or(terms)
    }

    fn not(term: Self) -> Self {
        Self::Not(Box::new(term))
    }

    fn leaf(path: &str, check: &Check) -> Leaf<Self> {
        let column = |column: TeamColumn| {
            text(check, |op, value| Self::Text(column, op, value), || Self::Present(column))
        };
        match path {
            "id" if *check == Check::Present => Leaf::Exact(Self::All),
            "id" => id(check, Self::Id),
            "displayName" => column(TeamColumn::DisplayNameKey),
            "externalId" => column(TeamColumn::ExternalId),
            "members.value" => match check {
                Check::Compare(Op::Eq, _) => id(check, Self::HasMember),
                _ => Leaf::Opaque,
            },
            "meta.created" => time(check, |at| Self::Since(TimeColumn::Created, at)),
            "meta.lastModified" => time(check, |at| Self::Since(TimeColumn::Modified, at)),
            _ => Leaf::Opaque,
        }
    }

    /// `members[value eq "…"]`, where nothing else is asked of the member.
    fn values(path: &str, filter: &Resolved) -> Leaf<Self> {
        match (path, terms(filter)) {
            ("members", [Resolved::Is(target, check)]) => Self::leaf(&target.to_string(), check),
            _ => Leaf::Opaque,
        }
    }
}

/// The terms that all have to hold.
fn terms(filter: &Resolved) -> &[Resolved] {
    match filter {
        Resolved::And(terms) => terms,
        one => std::slice::from_ref(one),
    }
}
