//! Conditions on members and teams: trees over a closed set of columns, made into SQL.
//!
//! A test on an absent value is false, and `Not` is the exact opposite of what it holds, whatever
//! is absent: two-valued logic, so that a tree means here what it means when it is evaluated on a
//! row in memory.

use std::fmt::Write as _;

use latchkey_access::MemberState;
use latchkey_kernel::Timestamp;
use latchkey_kernel::id::{MemberId, TeamId};

use crate::value::Val;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where<T> {
    /// True.
    Every,
    /// All of these; of none: true.
    And(Vec<Self>),
    /// One of these; of none: false.
    Or(Vec<Self>),
    /// The opposite.
    Not(Box<Self>),
    /// A test.
    Test(T),
}

/// A condition on members that are not deleted.
pub type MemberWhere = Where<MemberTest>;
/// A condition on teams.
pub type TeamWhere = Where<TeamTest>;

/// A test on one member. Texts are compared bytewise, so values for `…Key` columns come folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberTest {
    /// The id.
    Id(MemberId),
    /// A text column.
    Text(MemberColumn, TextOp, String),
    /// There is a value.
    Present(MemberColumn),
    /// One of the folded addresses besides the work address.
    OtherEmail(TextOp, String),
    /// There is an address besides the work address.
    AnyOtherEmail,
    /// A time.
    Time(TimeColumn, Order, Timestamp),
    /// Active or inactive.
    State(MemberState),
    /// In this team.
    InTeam(TeamId),
    /// Back since leaving, and nobody has yet decided what they get again.
    AwaitsReview,
}

/// A text column of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberColumn {
    /// Folded `userName`.
    UserNameKey,
    /// The directory's key, as sent.
    ExternalId,
    /// The folded work address.
    WorkEmailKey,
    /// What people call them, in Unicode lower case.
    DisplayNameKey,
}

/// A test on one team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TeamTest {
    /// The id.
    Id(TeamId),
    /// A text column.
    Text(TeamColumn, TextOp, String),
    /// There is a value.
    Present(TeamColumn),
    /// A time.
    Time(TimeColumn, Order, Timestamp),
    /// This member is in it.
    HasMember(MemberId),
    /// Somebody is in it.
    AnyMember,
}

/// A text column of teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamColumn {
    /// Folded `displayName`.
    DisplayNameKey,
    /// The directory's key, as sent.
    ExternalId,
}

/// A time of members and teams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeColumn {
    /// `meta.created`.
    CreatedAt,
    /// `meta.lastModified`.
    ModifiedAt,
}

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextOp {
    /// The same or before or after, in the order of code points.
    Is(Order),
    /// Has it in it.
    Contains,
    /// Begins with it.
    StartsWith,
    /// Ends with it.
    EndsWith,
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Order {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl<T> Where<T> {
    /// How many tests it has; few shapes have one, so only these are worth preparing.
    pub(crate) fn tests(&self) -> usize {
        match self {
            Self::Every => 0,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::tests).sum(),
            Self::Not(part) => part.tests(),
            Self::Test(_) => 1,
        }
    }
}

/// A statement under construction.
pub(crate) struct Draft {
    pub(crate) sql: String,
    pub(crate) params: Vec<Val>,
}

impl Draft {
    pub(crate) const fn new(sql: String, params: Vec<Val>) -> Self {
        Self { sql, params }
    }

    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a parameter, and its number to the text.
    pub(crate) fn bind(&mut self, value: impl Into<Val>) -> &mut Self {
        self.params.push(value.into());
        let number = self.params.len();
        // Writing to a string cannot fail.
        let _ = write!(self.sql, "${number}");
        self
    }

    /// Adds ` and (…)` for a condition that is not always true.
    pub(crate) fn and<T: Test>(&mut self, filter: &Where<T>) -> &mut Self {
        if *filter != Where::Every {
            self.push(" and ");
            self.tree(filter);
        }
        self
    }

    fn tree<T: Test>(&mut self, filter: &Where<T>) {
        match filter {
            Where::Every => {
                self.push("(1 = 1)");
            }
            Where::And(parts) => self.list(parts, " and ", "(1 = 1)"),
            Where::Or(parts) => self.list(parts, " or ", "(1 = 0)"),
            Where::Not(part) => {
                self.push("(");
                self.tree(part);
                // Not `not (…)`, which would be unknown where a value is absent.
                self.push(" is not true)");
            }
            Where::Test(test) => {
                self.push("(");
                test.write(self);
                self.push(")");
            }
        }
    }

    fn list<T: Test>(&mut self, parts: &[Where<T>], between: &str, none: &str) {
        if parts.is_empty() {
            self.push(none);
            return;
        }
        for (at, part) in parts.iter().enumerate() {
            self.push(if at == 0 { "(" } else { between });
            self.tree(part);
        }
        self.push(")");
    }

    fn text(&mut self, column: &str, op: TextOp, value: &str) {
        match op {
            TextOp::Is(order) => {
                self.push(column).push(" ").push(order.sign()).push(" ").bind(value);
            }
            TextOp::Contains => {
                self.push("strpos(").push(column).push(", ").bind(value).push(") > 0");
            }
            TextOp::EndsWith => {
                self.push("substr(").push(column).push(", length(").push(column).push(") - length(");
                self.bind(value).push(") + 1) = ").bind(value);
                self.push(" and length(").push(column).push(") >= length(").bind(value).push(")");
            }
            TextOp::StartsWith => {
                // A range, which an index answers.
                self.push(column).push(" >= ").bind(value);
                if let Some(end) = after_prefix(value) {
                    self.push(" and ").push(column).push(" < ").bind(end);
                }
            }
        }
    }

    fn time(&mut self, alias: &str, column: TimeColumn, order: Order, value: Timestamp) {
        let column = match column {
            TimeColumn::CreatedAt => ".created_at ",
            TimeColumn::ModifiedAt => ".modified_at ",
        };
        self.push(alias).push(column).push(order.sign()).push(" ").bind(value);
    }
}

/// The first text after all that begin with `prefix`; `None` when there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            // The code points between are no characters.
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// A test that can be written as SQL over the alias of its table; `$1` is the workspace.
pub(crate) trait Test: PartialEq {
    fn write(&self, draft: &mut Draft);
}

impl Test for MemberTest {
    fn write(&self, draft: &mut Draft) {
        match self {
            Self::Id(id) => {
                draft.push("m.id = ").bind(*id);
            }
            Self::Text(column, op, value) => draft.text(column.sql(), *op, value),
            Self::Present(column) => {
                draft.push(column.sql()).push(" is not null");
            }
            Self::OtherEmail(op, value) => {
                draft.push("m.id in (select e.member_id from member_email e where e.workspace_id = $1 and ");
                draft.text("e.email_key", *op, value);
                draft.push(")");
            }
            Self::AnyOtherEmail => {
                draft.push("m.id in (select e.member_id from member_email e where e.workspace_id = $1)");
            }
            Self::Time(column, order, value) => draft.time("m", *column, *order, *value),
            Self::State(state) => {
                draft.push("m.state = ").bind(*state);
            }
            Self::InTeam(team) => {
                draft.push("m.id in (select s.member_id from membership s where s.workspace_id = $1 and s.team_id = ");
                draft.bind(*team).push(")");
            }
            Self::AwaitsReview => {
                draft.push("m.state = 'active' and m.reviewed_epoch < m.access_epoch");
            }
        }
    }
}

impl MemberColumn {
    const fn sql(self) -> &'static str {
        match self {
            Self::UserNameKey => "m.user_name_key",
            Self::ExternalId => "m.external_id",
            Self::WorkEmailKey => "m.work_email_key",
            Self::DisplayNameKey => "m.display_name_key",
        }
    }
}

impl Test for TeamTest {
    fn write(&self, draft: &mut Draft) {
        match self {
            Self::Id(id) => {
                draft.push("t.id = ").bind(*id);
            }
            Self::Text(column, op, value) => draft.text(column.sql(), *op, value),
            Self::Present(column) => {
                draft.push(column.sql()).push(" is not null");
            }
            Self::Time(column, order, value) => draft.time("t", *column, *order, *value),
            Self::HasMember(member) => {
                draft.push("t.id in (select s.team_id from membership s where s.workspace_id = $1 and s.member_id = ");
                draft.bind(*member).push(")");
            }
            Self::AnyMember => {
                draft.push(
                    "exists (select 1 from membership s where s.workspace_id = $1 and s.team_id = t.id)",
                );
            }
        }
    }
}

impl TeamColumn {
    const fn sql(self) -> &'static str {
        match self {
            Self::DisplayNameKey => "t.display_name_key",
            Self::ExternalId => "t.external_id",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_after_a_prefix_skips_what_is_no_character() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{d7ff}").as_deref(), Some("a\u{e000}"));
        assert_eq!(after_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{10ffff}"), None);
        assert_eq!(after_prefix(""), None);
    }
}
