//! The order of a list (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::filter::fold;
use crate::path::AttrPath;
use crate::resource::instant;
use crate::schema::{ResourceType, Returned, Type};
use crate::{Error, Resource, ScimType, Target, Value};

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortOrder {
    /// Small values first, resources without one last.
    Ascending,
    /// The other way round.
    Descending,
}

impl SortOrder {
    /// The word in a query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

/// What a list is sorted by, resolved against the schemas.
#[derive(Debug, Clone, Copy)]
pub struct SortKey {
    target: Target,
    order: SortOrder,
}

/// The value that a resource is sorted by. Nothing sorts behind everything.
#[derive(Debug, Clone, PartialEq)]
pub enum SortValue {
    /// False before true.
    Bool(bool),
    /// By value.
    Number(f64),
    /// By instant.
    Instant(Timestamp),
    /// By code points; folded, unless the attribute compares with case.
    Text(String),
    /// Not assigned.
    Nothing,
}

impl SortKey {
    /// Finds the attribute. A complex one is sorted by its `value`.
    ///
    /// # Errors
    /// 400 `invalidPath` for what no schema knows or what has no order; `sensitive` for what is
    /// never returned, whose order would tell its value.
    pub fn resolve(sort: &super::Sorting, ty: &'static ResourceType) -> Result<Self, Error> {
        let path: AttrPath = sort.by.parse()?;
        let target =
            Target::find(&path, ty).map_err(|unknown| Error::invalid_path(format!("sortBy: {unknown}")))?;
        if target.leaf().returned == Returned::Never {
            return Err(Error::bad(ScimType::Sensitive, format!("sortBy: {target} is a secret")));
        }
        let leaf = target.leaf();
        let target = match (leaf.kind, leaf.sub("value")) {
            (Type::Complex, Some(value)) => target.with_sub(value),
            (Type::Complex, None) => {
                let detail = format!("sortBy: {target} has no order of its own; name a sub-attribute");
                return Err(Error::invalid_path(detail));
            }
            _ => target,
        };
        Ok(Self { target, order: sort.order })
    }

    /// The attribute, for a caller that sorts by a column.
    pub const fn target(&self) -> Target {
        self.target
    }

    /// Which end comes first.
    pub const fn order(&self) -> SortOrder {
        self.order
    }

    /// What this resource is sorted by: of several values the primary one, else the first.
    pub fn value(&self, resource: &Resource) -> SortValue {
        let Some(value) = self.target.value(resource) else { return SortValue::Nothing };
        let is_primary = |value: &&Value| {
            let primary = value.as_complex().and_then(|complex| complex.get("primary"));
            primary.and_then(Value::as_bool) == Some(true)
        };
        let values = value.as_list();
        let Some(one) = values.iter().find(is_primary).or_else(|| values.first()) else {
            return SortValue::Nothing;
        };
        let leaf = match self.target.sub {
            None => Some(one),
            Some(sub) => one.as_complex().and_then(|complex| complex.get(sub.name)),
        };
        leaf.map_or(SortValue::Nothing, |leaf| self.of(leaf))
    }

    /// Whether `a` comes before `b`.
    pub fn compare(&self, a: &SortValue, b: &SortValue) -> Ordering {
        let ascending = a.compare(b);
        match self.order {
            SortOrder::Ascending => ascending,
            SortOrder::Descending => ascending.reverse(),
        }
    }

    fn of(&self, value: &Value) -> SortValue {
        let leaf = self.target.leaf();
        match value {
            Value::Bool(b) => SortValue::Bool(*b),
            #[expect(
                clippy::cast_precision_loss,
                reason = "an order of numbers beyond 2^53 is nobody's concern"
            )]
            Value::Integer(number) => SortValue::Number(*number as f64),
            Value::Decimal(number) => SortValue::Number(*number),
            Value::String(text) if leaf.kind == Type::DateTime => {
                instant(text).map_or(SortValue::Nothing, SortValue::Instant)
            }
            Value::String(text) if leaf.case_exact => SortValue::Text(text.clone()),
            Value::String(text) => SortValue::Text(fold(text).into_owned()),
            Value::Complex(_) | Value::List(_) => SortValue::Nothing,
        }
    }
}

/// The longest text that [`SortValue::to_key`] writes down.
const KEY_MAX: usize = 1_024;

impl SortValue {
    /// The value as bytes, for a cursor; `None` for a text that is too long to be carried along.
    pub fn to_key(&self) -> Option<Vec<u8>> {
        let (mark, bytes) = match self {
            Self::Bool(b) => (b'b', vec![u8::from(*b)]),
            Self::Number(number) => (b'n', number.to_be_bytes().to_vec()),
            Self::Instant(instant) => (b'i', instant.as_nanosecond().to_be_bytes().to_vec()),
            Self::Text(text) if text.len() > KEY_MAX => return None,
            Self::Text(text) => (b't', text.clone().into_bytes()),
            Self::Nothing => (b'-', Vec::new()),
        };
        Some([&[mark], bytes.as_slice()].concat())
    }

    /// Reads what [`SortValue::to_key`] wrote.
    pub fn of_key(key: &[u8]) -> Option<Self> {
        let (mark, bytes) = key.split_first()?;
        Some(match mark {
            b'b' => Self::Bool(*bytes == [1]),
            b'n' => Self::Number(f64::from_be_bytes(bytes.try_into().ok()?)),
            b'i' => {
                let nanoseconds = i128::from_be_bytes(bytes.try_into().ok()?);
                Self::Instant(Timestamp::from_nanosecond(nanoseconds).ok()?)
            }
            b't' => Self::Text(String::from_utf8(bytes.to_vec()).ok()?),
            b'-' if bytes.is_empty() => Self::Nothing,
            _ => return None,
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Number(_) => 1,
            Self::Instant(_) => 2,
            Self::Text(_) => 3,
            Self::Nothing => 4,
        }
    }
}
