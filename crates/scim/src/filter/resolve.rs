//! From spelling to meaning: attributes found in the schemas, literals in the attribute's type.

use jiff::Timestamp;

use super::ast::{Filter, Literal, Op, Test};
use super::fold::fold;
use crate::name::same;
use crate::path::AttrPath;
use crate::resource::instant;
use crate::schema::{Attribute, ResourceType, Returned, Type};
use crate::target::sub_of;
use crate::{Error, ScimType};

pub use crate::target::Target;

/// A filter that a resource type can answer; to be walked by whoever evaluates it, here or in a database.
///
/// The readings are worked in: `eq null` is gone, `.sub` after a bracket has moved into it, an
/// attribute that means its `value` says so, and a comparison that can never hold is
/// [`Resolved::Constant`].
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// All of these.
    And(Vec<Resolved>),
    /// One of these.
    Or(Vec<Resolved>),
    /// The opposite, in plain two-valued logic: true where the attribute is absent.
    Not(Box<Resolved>),
    /// Always or never.
    Constant(bool),
    /// The resource carries attributes of the extension with this URN.
    HasExtension(&'static str),
    /// One of the values that the target names satisfies the check. Within [`Resolved::Values`]
    /// the target's sub-attribute is that of the one value looked at.
    Is(Target, Check),
    /// One value of this complex attribute satisfies all of the filter, whose targets are
    /// sub-attributes of it.
    Values(Target, Box<Resolved>),
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    /// It is there, and is not empty text.
    Present,
    /// It is there and compares so.
    Compare(Op, Typed),
}

/// A literal in the type of the attribute that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// For a boolean; only `eq` and `ne`.
    Bool(bool),
    /// For a number; whole.
    Integer(i64),
    /// For a number.
    Decimal(f64),
    /// For text that is compared with case.
    Exact(String),
    /// For text that is compared without case; went through [`fold`] already.
    Folded(String),
    /// For a date, which is compared by instant; never `co`, `sw` or `ew`.
    Instant(Timestamp),
}

/// Finds a filter's attributes in the schemas of a resource type.
///
/// # Errors
/// 400 `invalidFilter` for an attribute that the resource type does not have and for an operator
/// that the attribute's type does not have; 400 `sensitive` for a filter on a password.
pub fn resolve(filter: &Filter, ty: &'static ResourceType) -> Result<Resolved, Error> {
    walk(
        filter,
        &|path, test| {
            let target = target(path, ty)?;
            is(target, test, ty)
        },
        &|path, inner| {
            let target = target(path, ty)?;
            Ok(Resolved::Values(target, Box::new(resolve_values(inner, target)?)))
        },
    )
}

/// The attribute that a path in a filter names.
///
/// # Errors
/// 400 `invalidFilter` when the resource type has none such, 400 `sensitive` for a password.
pub fn target(path: &AttrPath, ty: &'static ResourceType) -> Result<Target, Error> {
    let target = Target::find(path, ty).map_err(|why| Error::invalid_filter(format!("filter: {why}")))?;
    if target.attribute.returned == Returned::Never {
        // A filter that matches or not answers a guess (RFC 7644 §7.5.2).
        let detail = format!("filter: {target} is secret, so nothing can be looked up by it");
        return Err(Error::bad(ScimType::Sensitive, detail));
    }
    Ok(target)
}

/// Resolves what stands within the brackets behind `of`.
pub(crate) fn resolve_values(filter: &Filter, of: Target) -> Result<Resolved, Error> {
    let of = Target { sub: None, ..of };
    if of.attribute.kind != Type::Complex {
        return Err(Error::invalid_filter(format!(
            "filter: {of} has no sub-attributes to filter by in brackets"
        )));
    }
    walk(
        filter,
        &|path, test| {
            if path.urn.is_some() || path.sub.is_some() {
                let detail =
                    format!("filter: {path} stands in brackets, where {of}'s own sub-attributes stand alone");
                return Err(Error::invalid_filter(detail));
            }
            let sub = sub_of(of.attribute, path.name.as_str())
                .map_err(|why| Error::invalid_filter(format!("filter: {why}")))?;
            check(of.with_sub(sub), test)
        },
        &|_, _| Err(Error::invalid_filter("filter: brackets don't stand within brackets")),
    )
}

/// Resolves the logic around the two kinds of leaves.
fn walk(
    filter: &Filter,
    leaf: &dyn Fn(&AttrPath, &Test) -> Result<Resolved, Error>,
    bracket: &dyn Fn(&AttrPath, &Filter) -> Result<Resolved, Error>,
) -> Result<Resolved, Error> {
    let all = |terms: &[Filter]| -> Result<Vec<_>, Error> {
        terms.iter().map(|term| walk(term, leaf, bracket)).collect()
    };
    Ok(match filter {
        Filter::And(terms) => Resolved::And(all(terms)?),
        Filter::Or(terms) => Resolved::Or(all(terms)?),
        Filter::Not(inner) => Resolved::Not(Box::new(walk(inner, leaf, bracket)?)),
        Filter::Is(path, test) => leaf(path, test)?,
        Filter::Values { path, filter, then: None } => bracket(path, filter)?,
        // Both are said of one and the same value, so the second can move into the brackets.
        Filter::Values { path, filter, then: Some(then) } => {
            let name = then.sub.clone().unwrap_or_else(|| "value".into());
            let asked = Filter::Is(AttrPath { urn: None, name, sub: None }, then.test.clone());
            bracket(path, &Filter::And(vec![filter.as_ref().clone(), asked]))?
        }
    })
}

fn is(target: Target, test: &Test, ty: &'static ResourceType) -> Result<Resolved, Error> {
    if target.extension.is_none() && same(target.attribute.name, "schemas") {
        return schemas(target, test, ty);
    }
    let leaf = target.leaf();
    if leaf.kind != Type::Complex || *test == Test::Present {
        return check(target, test);
    }
    if let Test::Compare(Op::Eq | Op::Ne, Literal::Null) = test {
        return check(target, test);
    }
    let value = leaf.sub("value").ok_or_else(|| {
        let known: Vec<_> = leaf.sub_attributes.iter().map(|a| a.name).collect();
        Error::invalid_filter(format!(
            "filter: {target} is made of sub-attributes; compare one of them: {}",
            known.join(", ")
        ))
    })?;
    check(target.with_sub(value), test)
}

/// `schemas` is derived from the content, so asking for one is asking whether there is content for it.
fn schemas(target: Target, test: &Test, ty: &'static ResourceType) -> Result<Resolved, Error> {
    let resolved = check(target, test)?;
    let Resolved::Is(_, Check::Compare(op, Typed::Exact(wanted))) = &resolved else {
        return Ok(match resolved {
            Resolved::Is(..) => Resolved::Constant(true),
            Resolved::Not(_) => Resolved::Constant(false),
            other => other,
        });
    };
    let satisfies = |urn: &&str| super::eval::text_compares(*op, urn, wanted);
    if satisfies(&ty.schema.id) {
        return Ok(Resolved::Constant(true));
    }
    let terms: Vec<_> =
        ty.extensions.iter().map(|s| s.id).filter(satisfies).map(Resolved::HasExtension).collect();
    Ok(if terms.is_empty() { Resolved::Constant(false) } else { Resolved::Or(terms) })
}

/// A check of the attribute at the end of the target, with the literal in its type.
fn check(target: Target, test: &Test) -> Result<Resolved, Error> {
    let Test::Compare(op, literal) = test else {
        return Ok(Resolved::Is(target, Check::Present));
    };
    let op = *op;
    let leaf = target.leaf();
    if !has_operator(leaf, op) {
        let (kind, allowed) = operators(leaf);
        let detail =
            format!("filter: {target} is {kind}, which does not compare by {op}; it knows {allowed}");
        return Err(Error::invalid_filter(detail));
    }
    let present = Resolved::Is(target, Check::Present);
    if *literal == Literal::Null {
        return match op {
            Op::Eq => Ok(Resolved::Not(Box::new(present))),
            Op::Ne => Ok(present),
            _ => Err(Error::invalid_filter(format!("filter: null compares by eq and ne only, not by {op}"))),
        };
    }
    Ok(match typed(target, leaf, literal)? {
        Some(value) => Resolved::Is(target, Check::Compare(op, value)),
        None => Resolved::Constant(false),
    })
}

fn has_operator(leaf: &Attribute, op: Op) -> bool {
    match op {
        Op::Eq | Op::Ne => true,
        Op::Co | Op::Sw | Op::Ew => matches!(leaf.kind, Type::String | Type::Reference | Type::Binary),
        Op::Gt | Op::Ge | Op::Lt | Op::Le => {
            !matches!(leaf.kind, Type::Boolean | Type::Binary | Type::Complex)
        }
    }
}

fn operators(leaf: &Attribute) -> (&'static str, &'static str) {
    match leaf.kind {
        Type::Boolean => ("a boolean", "eq, ne and pr"),
        Type::Binary => ("binary", "eq, ne, co, sw, ew and pr"),
        Type::Complex => ("complex", "pr"),
        Type::Integer | Type::Decimal => ("a number", "eq, ne, gt, ge, lt, le and pr"),
        Type::DateTime => ("a date", "eq, ne, gt, ge, lt, le and pr"),
        Type::String | Type::Reference => ("text", "every operator"),
    }
}

/// The literal in the attribute's type; `None` when it is of another type, which never matches.
fn typed(target: Target, leaf: &Attribute, literal: &Literal) -> Result<Option<Typed>, Error> {
    Ok(match (leaf.kind, literal) {
        (Type::Boolean, Literal::Bool(b)) => Some(Typed::Bool(*b)),
        // Entra: roles[primary eq "True"].value.
        (Type::Boolean, Literal::String(s)) if s.eq_ignore_ascii_case("true") => Some(Typed::Bool(true)),
        (Type::Boolean, Literal::String(s)) if s.eq_ignore_ascii_case("false") => Some(Typed::Bool(false)),
        (Type::Integer | Type::Decimal, Literal::Number(n)) => {
            n.as_i64().map(Typed::Integer).or_else(|| n.as_f64().map(Typed::Decimal))
        }
        (Type::DateTime, Literal::String(s)) => Some(Typed::Instant(instant(s).ok_or_else(|| {
            Error::invalid_filter(format!(
                "filter: {target} is a date; compare it with one such as \"2026-03-01T12:00:00Z\""
            ))
        })?)),
        (Type::String | Type::Reference | Type::Binary, Literal::String(s)) => {
            Some(if leaf.case_exact { Typed::Exact(s.clone()) } else { Typed::Folded(fold(s).into_owned()) })
        }
        _ => None,
    })
}
