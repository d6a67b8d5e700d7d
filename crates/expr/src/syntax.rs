//! The tree that a text is parsed to.

use crate::error::Span;

/// One node of the tree, with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Node {
    /// Its place.
    pub span: Span,
    /// What it is.
    #[serde(flatten)]
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "node", rename_all = "snake_case")]
pub enum NodeKind {
    /// `[name]`
    Attribute {
        /// The attribute's name.
        name: String,
    },
    /// `"text"`
    Text {
        /// With its escapes resolved.
        text: String,
    },
    /// `12`, `-3`, `&HFF`
    Number {
        /// Its value.
        number: i64,
    },
    /// A bare word, as `vbTextCompare`.
    Word {
        /// As written.
        word: String,
    },
    /// A parameter that was left out.
    Omitted,
    /// `Name(a, b)`
    Call {
        /// As written.
        name: String,
        /// In order; a trailing comma leaves the last one [`NodeKind::Omitted`].
        parameters: Vec<Node>,
    },
    /// `a = b`
    Compare {
        /// How.
        operator: Operator,
        /// Left.
        left: Box<Node>,
        /// Right.
        right: Box<Node>,
    },
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Operator {
    /// `=`
    #[serde(rename = "=")]
    Equal,
    /// `<>`
    #[serde(rename = "<>")]
    NotEqual,
    /// `>`
    #[serde(rename = ">")]
    Greater,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessOrEqual,
}
