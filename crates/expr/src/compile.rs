//! From the tree to a program: names, parameters and constant patterns are checked once.

use crate::error::{CompileError, Span};
use crate::functions;
use crate::parser::parse;
use crate::pattern::Pattern;
use crate::signature::{Function, Kind, Param};
use crate::syntax::{Node, NodeKind, Operator};
use crate::value::Value;

/// An expression that can be evaluated.
#[derive(Debug)]
pub struct Program {
    text: String,
    tree: Node,
    pub(crate) root: Op,
    attributes: Vec<String>,
}

/// One step of a program.
pub(crate) struct Op {
    pub(crate) span: Span,
    pub(crate) kind: OpKind,
}

pub(crate) enum OpKind {
    Omitted,
    Attribute(Box<str>),
    Constant(Value<'static>),
    Pattern(Box<str>, Pattern),
    Call(&'static Function, Vec<Op>),
    Compare(Operator, Box<(Op, Op)>),
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Op({}..{})", self.span.start, self.span.end)
    }
}

impl Program {
    /// Compiles an expression: a function call at the root, as a mapping of the kind *Expression* holds it.
    ///
    /// # Errors
    /// The place, what was found there and what is allowed.
    pub fn compile(text: &str) -> Result<Self, CompileError> {
        let tree = parse(text)?;
        let wrong = |message: &str| Err(CompileError::at(text, tree.span, message));
        match &tree.kind {
            NodeKind::Call { .. } => {}
            NodeKind::Attribute { name } => {
                return wrong(&format!(
                    "an attribute alone is a direct mapping; map {name} directly instead"
                ));
            }
            NodeKind::Text { .. } | NodeKind::Number { .. } => {
                return wrong("a value alone is a constant mapping; make the mapping a constant instead");
            }
            NodeKind::Compare { .. } => {
                return wrong("a comparison stands within IIF or CBool, as CBool([city] = \"Lisbon\")");
            }
            NodeKind::Word { word } => {
                return wrong(&format!(
                    "{word} is no function call; a function is written {word}(…), a text \"{word}\""
                ));
            }
            NodeKind::Omitted => return wrong("the expression is empty"),
        }
        let mut compiler = Compiler { text, attributes: Vec::new() };
        let root = compiler.op(&tree, None, true)?;
        Ok(Self { text: text.to_owned(), attributes: compiler.attributes, tree, root })
    }

    /// The text that it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The tree that the text was parsed to.
    pub const fn tree(&self) -> &Node {
        &self.tree
    }

    /// The attributes that it reads, each once, in order of their first use.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The function at the root.
    pub fn function(&self) -> Option<&'static Function> {
        match &self.root.kind {
            OpKind::Call(function, _) => Some(function),
            _ => None,
        }
    }
}

struct Compiler<'t> {
    text: &'t str,
    attributes: Vec<String>,
}

impl Compiler<'_> {
    fn wrong(&self, span: Span, message: impl std::fmt::Display) -> CompileError {
        CompileError::at(self.text, span, message)
    }

    fn op(&mut self, node: &Node, of: Option<(&Function, &Param)>, root: bool) -> Result<Op, CompileError> {
        let kind = match &node.kind {
            NodeKind::Omitted => OpKind::Omitted,
            NodeKind::Attribute { name } => {
                if !self.attributes.contains(name) {
                    self.attributes.push(name.clone());
                }
                OpKind::Attribute(name.as_str().into())
            }
            NodeKind::Text { text } => self.constant(node.span, text, of)?,
            NodeKind::Number { number } => {
                self.check_words(node.span, &number.to_string(), of)?;
                OpKind::Constant(Value::Int(*number))
            }
            NodeKind::Word { word } => match of {
                Some((_, Param { kind: Kind::Words(_), .. })) => self.constant(node.span, word, of)?,
                _ => {
                    let message = format!(
                        "{word} means nothing here; write \"{word}\" for a text, [{word}] for an attribute"
                    );
                    return Err(self.wrong(node.span, message));
                }
            },
            NodeKind::Compare { operator, left, right } => {
                if !of.is_some_and(|(_, param)| param.kind == Kind::Condition) {
                    return Err(self.wrong(node.span, "a comparison may only be a condition of IIF or CBool"));
                }
                OpKind::Compare(
                    *operator,
                    Box::new((self.op(left, None, false)?, self.op(right, None, false)?)),
                )
            }
            NodeKind::Call { name, parameters } => self.call(node.span, name, parameters, root)?,
        };
        Ok(Op { span: node.span, kind })
    }

    fn constant(
        &self,
        span: Span,
        text: &str,
        of: Option<(&Function, &Param)>,
    ) -> Result<OpKind, CompileError> {
        self.check_words(span, text, of)?;
        match of {
            Some((_, Param { kind: Kind::Pattern, .. })) => {
                let pattern = Pattern::compile(text).map_err(|error| self.wrong(span, error))?;
                Ok(OpKind::Pattern(text.into(), pattern))
            }
            Some((function, Param { kind: Kind::Number, name, .. }))
                if crate::evaluate::number_of(text).is_none() =>
            {
                Err(self.wrong(span, format!("{name} of {} is a whole number, not {text:?}", function.name)))
            }
            _ => Ok(OpKind::Constant(Value::owned(text.to_owned()))),
        }
    }

    fn check_words(
        &self,
        span: Span,
        text: &str,
        of: Option<(&Function, &Param)>,
    ) -> Result<(), CompileError> {
        let Some((function, Param { kind: Kind::Words(words), name, .. })) = of else { return Ok(()) };
        if words.contains(&text) {
            return Ok(());
        }
        Err(self
            .wrong(span, format!("{name} of {} is one of {}, not {text}", function.name, words.join(", "))))
    }

    fn call(&mut self, span: Span, name: &str, given: &[Node], root: bool) -> Result<OpKind, CompileError> {
        let function = functions::find(name).ok_or_else(|| self.wrong(span, unknown(name)))?;
        if function.root_only && !root {
            return Err(self.wrong(span, format!("{name} may only stand at the root of the expression")));
        }
        let mut given = given;
        while let (Some(most), [fewer @ .., Node { kind: NodeKind::Omitted, .. }]) = (function.most(), given)
            && given.len() > most
        {
            given = fewer;
        }
        self.check_count(span, function, given.len())?;
        let mut ops = Vec::with_capacity(given.len());
        for (at, node) in given.iter().enumerate() {
            let Some(param) = function.param(at) else { break };
            let repeated = at >= function.params.len();
            if node.kind == NodeKind::Omitted && !param.optional && !repeated {
                let message =
                    format!("{} of {} must be given: {}", param.name, function.name, function.signature());
                return Err(self.wrong(node.span, message));
            }
            ops.push(self.op(node, Some((function, param)), false)?);
        }
        Ok(OpKind::Call(function, ops))
    }

    fn check_count(&self, span: Span, function: &Function, given: usize) -> Result<(), CompileError> {
        let fewest = function.fewest();
        let fits = given >= fewest && function.most().is_none_or(|most| given <= most);
        let fixed = function.params.len() - function.repeats;
        let whole = function.repeats < 2 || given < fixed || (given - fixed).is_multiple_of(function.repeats);
        if fits && whole {
            return Ok(());
        }
        let wanted = match (function.most(), whole) {
            (_, false) => "parameters that come in pairs after the first ones".to_owned(),
            (None, _) => format!("at least {fewest} parameters"),
            (Some(most), _) if most == fewest => format!("{most} parameters"),
            (Some(most), _) => format!("{fewest} to {most} parameters"),
        };
        let message = format!("{} takes {wanted}, not {given}: {}", function.name, function.signature());
        Err(self.wrong(span, message))
    }
}

/// Names the function that was probably meant.
fn unknown(name: &str) -> String {
    let close = |known: &str| known.eq_ignore_ascii_case(name) || distance(known, name) <= 2;
    let meant = functions::FUNCTIONS.iter().find(|known| close(known.name));
    match meant {
        Some(known) => format!("there is no function {name}; {} is meant, perhaps", known.name),
        None => format!("there is no function {name}"),
    }
}

/// How many letters have to be changed, added or taken away.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
