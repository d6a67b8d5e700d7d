//! Small tables in plain text, aligned by the width that a terminal gives each character.

/// A cell longer than this is cut, so that a row stays on its line.
const WIDEST: usize = 64;

/// Lines of a table: the header, then the rows. Columns whose header starts with `>` stand right.
pub(super) fn lines(headers: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let right: Vec<bool> = headers.iter().map(|header| header.starts_with('>')).collect();
    let mut cells: Vec<Vec<String>> =
        vec![headers.iter().map(|header| header.trim_start_matches('>').to_owned()).collect()];
    cells.extend(rows.iter().map(|row| row.iter().map(|cell| cut(&clean(cell))).collect()));
    let widths: Vec<usize> = (0..headers.len())
        .map(|column| cells.iter().filter_map(|row| row.get(column)).map(|c| width(c)).max().unwrap_or(0))
        .collect();
    cells
        .iter()
        .map(|row| {
            let padded: Vec<String> = row
                .iter()
                .zip(&widths)
                .zip(&right)
                .map(|((cell, wide), right)| {
                    let space = " ".repeat(wide.saturating_sub(width(cell)));
                    if *right { format!("{space}{cell}") } else { format!("{cell}{space}") }
                })
                .collect();
            padded.join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A text without control characters: names come from a file and must not steer the terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn cut(text: &str) -> String {
    if width(text) <= WIDEST {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if width(&out) + wide(c) >= WIDEST {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

fn width(text: &str) -> usize {
    text.chars().map(wide).sum()
}

/// The columns that a character takes: none for combining marks, two for East Asian wide ones
/// (Unicode Standard Annex #11), as far as names use them.
fn wide(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_whatever_the_script() {
        let rows = vec![
            vec!["Zoë\u{0308}".to_owned(), "7".to_owned()],
            vec!["山田".to_owned(), "12".to_owned()],
            vec!["Łucja".to_owned(), "120".to_owned()],
        ];
        assert_eq!(
            lines(&["Name", ">Teams"], &rows),
            ["Name   Teams", "Zoë\u{0308}        7", "山田      12", "Łucja    120"]
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal_nor_push_the_row_off_its_line() {
        let rows = vec![vec!["\u{1b}[31mred".to_owned()], vec!["x".repeat(90)]];
        let lines = lines(&["Name"], &rows);
        assert_eq!(lines[1], "\u{fffd}[31mred");
        assert_eq!(lines[2], format!("{}…", "x".repeat(WIDEST - 1)));
    }
}
