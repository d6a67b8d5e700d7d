//! Where the demo's words go: text for people, or one JSON object for each stage.

use std::io::{Stdout, Write};

use anstream::AutoStream;
use anstyle::Style;
use serde_json::Value;

use super::table;

/// Standard output, in the form that was asked for. Colours go only to terminals that want them
/// (`NO_COLOR`, `CLICOLOR`).
pub(super) struct Screen {
    out: AutoStream<Stdout>,
    json: bool,
    stage: usize,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        Self { out: AutoStream::auto(std::io::stdout()), json, stage: 0 }
    }

    pub(super) fn for_machines(&self) -> bool {
        self.json
    }

    /// The demo's name.
    pub(super) fn title(&mut self, text: &str) -> anyhow::Result<()> {
        self.styled(BOLD, "", text)
    }

    /// A stage begins.
    pub(super) fn stage(&mut self, title: &str) -> anyhow::Result<()> {
        self.stage += 1;
        let number = self.stage;
        self.text("")?;
        self.styled(BOLD, "", &format!("{number}  {}", table::clean(title)))
    }

    /// A plain line.
    pub(super) fn text(&mut self, text: &str) -> anyhow::Result<()> {
        self.styled(Style::new(), if text.is_empty() { "" } else { "   " }, text)
    }

    /// A line that explains.
    pub(super) fn note(&mut self, text: &str) -> anyhow::Result<()> {
        self.styled(DIM, "   ", text)
    }

    /// A table.
    pub(super) fn table(&mut self, headers: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
        for (at, line) in table::lines(headers, rows).iter().enumerate() {
            self.styled(if at == 0 { DIM } else { Style::new() }, "   ", line)?;
        }
        Ok(())
    }

    /// What a stage found, for machines.
    pub(super) fn facts(&mut self, facts: &Value) -> anyhow::Result<()> {
        if self.json {
            writeln!(self.out, "{facts}")?;
            self.out.flush()?;
        }
        Ok(())
    }

    fn styled(&mut self, style: Style, indent: &str, text: &str) -> anyhow::Result<()> {
        if !self.json {
            writeln!(self.out, "{indent}{style}{text}{style:#}")?;
            self.out.flush()?;
        }
        Ok(())
    }
}
