//! Custom date and time formats of .NET: reading by one and printing by another.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::twelve;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// How much blank a reader overlooks; the other styles of .NET change nothing here, because all
/// times without an offset are taken to be UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Styles {
    pub(crate) leading: bool,
    pub(crate) trailing: bool,
    pub(crate) inner: bool,
}

impl Default for Styles {
    fn default() -> Self {
        Self { leading: true, trailing: true, inner: false }
    }
}

impl Styles {
    /// Reads names as `AllowWhiteSpaces, AssumeUniversal`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut styles = Self { leading: false, trailing: false, inner: false };
        for name in text.split([',', '|']).map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "AllowLeadingWhite" => styles.leading = true,
                "AllowTrailingWhite" => styles.trailing = true,
                "AllowInnerWhite" => styles.inner = true,
                "AllowWhiteSpaces" => styles = Self { leading: true, trailing: true, inner: true },
                "None"
                | "AdjustToUniversal"
                | "AssumeLocal"
                | "AssumeUniversal"
                | "NoCurrentDateDefault"
                | "RoundtripKind" => {}
                other => {
                    return Err(format!(
                        "{other} is no DateTimeStyles; there are None, AllowLeadingWhite, AllowTrailingWhite, AllowInnerWhite, AllowWhiteSpaces, AdjustToUniversal, AssumeLocal, AssumeUniversal, NoCurrentDateDefault, RoundtripKind"
                    ));
                }
            }
        }
        Ok(styles)
    }
}

/// A format, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// A letter, so many times.
    Field(char, usize),
    Literal(String),
}

impl Format {
    /// Takes a format apart.
    pub(crate) fn parse(format: &str) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' | '"' => {
                    let mut text = String::new();
                    loop {
                        match chars.next() {
                            Some(end) if end == c => break,
                            Some(inner) => text.push(inner),
                            None => return Err(format!("a quote in the format {format:?} is never closed")),
                        }
                    }
                    parts.push(Part::Literal(text));
                }
                '\\' => {
                    let next =
                        chars.next().ok_or_else(|| format!("the format {format:?} ends in a backslash"))?;
                    parts.push(Part::Literal(next.into()));
                }
                '%' => {}
                'd' | 'M' | 'y' | 'H' | 'h' | 'm' | 's' | 'f' | 'F' | 't' | 'z' | 'K' | 'g' => {
                    let mut count = 1;
                    while c != 'K' && chars.peek() == Some(&c) {
                        chars.next();
                        count += 1;
                    }
                    let most = match c {
                        'y' => 5,
                        'd' | 'M' => 4,
                        'f' | 'F' => 7,
                        'z' => 3,
                        _ => 2,
                    };
                    if count > most {
                        return Err(format!(
                            "{} in the format {format:?} means nothing",
                            c.to_string().repeat(count)
                        ));
                    }
                    parts.push(Part::Field(c, count));
                }
                other => parts.push(Part::Literal(other.into())),
            }
        }
        Ok(Self(parts))
    }

    /// Prints an instant that is in UTC.
    pub(crate) fn print(&self, at: DateTime) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Field(letter, count) => print_field(*letter, *count, at, &mut out),
            }
        }
        out
    }

    /// Reads a text that has exactly this form; an offset in it is applied, so the result is UTC.
    pub(crate) fn read(&self, text: &str, styles: Styles) -> Option<DateTime> {
        let text = if styles.leading { text.trim_start() } else { text };
        let text = if styles.trailing { text.trim_end() } else { text };
        let mut reader = Reader { rest: text, inner: styles.inner, found: Found::default() };
        for part in &self.0 {
            match part {
                Part::Literal(literal) => reader.literal(literal)?,
                Part::Field(letter, count) => reader.field(*letter, *count)?,
            }
        }
        reader.blanks();
        if !reader.rest.is_empty() {
            return None;
        }
        reader.found.assemble()
    }
}

fn print_field(letter: char, count: usize, at: DateTime, out: &mut String) {
    let number = |value: i64, width: usize| format!("{value:0width$}");
    let text = match (letter, count) {
        ('d', 1 | 2) => number(at.day().into(), count),
        ('d', 3) => weekday(at)[..3].to_owned(),
        ('d', _) => weekday(at).to_owned(),
        ('M', 1 | 2) => number(at.month().into(), count),
        ('M', 3) => month(at)[..3].to_owned(),
        ('M', _) => month(at).to_owned(),
        ('y', 1 | 2) => number((at.year() % 100).into(), count),
        ('y', _) => number(at.year().into(), count),
        ('H', _) => number(at.hour().into(), count),
        ('h', _) => number(twelve(at.hour()).0.into(), count),
        ('m', _) => number(at.minute().into(), count),
        ('s', _) => number(at.second().into(), count),
        ('t', 1) => twelve(at.hour()).1[..1].to_owned(),
        ('t', _) => twelve(at.hour()).1.to_owned(),
        ('f', _) => format!("{:09}", at.subsec_nanosecond())[..count].to_owned(),
        ('F', _) => {
            let digits = format!("{:09}", at.subsec_nanosecond())[..count].trim_end_matches('0').to_owned();
            if digits.is_empty() && out.ends_with('.') {
                out.pop();
            }
            digits
        }
        ('z', 1) => "+0".to_owned(),
        ('z', 2) => "+00".to_owned(),
        ('z', _) => "+00:00".to_owned(),
        ('K', _) => "Z".to_owned(),
        _ => "A.D.".to_owned(),
    };
    out.push_str(&text);
}

fn weekday(at: DateTime) -> &'static str {
    DAYS[at.weekday().to_monday_zero_offset().unsigned_abs() as usize]
}

fn month(at: DateTime) -> &'static str {
    MONTHS[at.month().unsigned_abs() as usize - 1]
}

#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    afternoon: Option<bool>,
    offset_minutes: i64,
}

impl Found {
    /// What is missing of the date is the first of its kind.
    fn assemble(self) -> Option<DateTime> {
        let hour = match self.afternoon {
            Some(_) if self.hour > 12 => return None,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
            None => self.hour,
        };
        let date = Date::new(
            self.year.unwrap_or(1).try_into().ok()?,
            self.month.unwrap_or(1).try_into().ok()?,
            self.day.unwrap_or(1).try_into().ok()?,
        );
        let time = Time::new(
            hour.try_into().ok()?,
            self.minute.try_into().ok()?,
            self.second.try_into().ok()?,
            self.nanosecond.try_into().ok()?,
        );
        let local = date.ok()?.to_datetime(time.ok()?);
        let offset = Offset::from_seconds(i32::try_from(self.offset_minutes * 60).ok()?).ok()?;
        Some(Offset::UTC.to_datetime(offset.to_timestamp(local).ok()?))
    }
}

struct Reader<'t> {
    rest: &'t str,
    inner: bool,
    found: Found,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        if self.inner {
            self.rest = self.rest.trim_start();
        }
    }

    fn literal(&mut self, literal: &str) -> Option<()> {
        self.blanks();
        if self.inner && literal.trim().is_empty() {
            return Some(());
        }
        if let Some(rest) = self.rest.strip_prefix(literal) {
            self.rest = rest;
            return Some(());
        }
        // The point before an `F` that has no digits may be left out.
        (literal == "." && !self.rest.starts_with(|c: char| c.is_ascii_digit())).then_some(())
    }

    fn field(&mut self, letter: char, count: usize) -> Option<()> {
        self.blanks();
        match (letter, count) {
            ('d', 1 | 2) => Some(self.digits(count, 2)?).map(|n| self.found.day = Some(n)),
            ('d', _) => self.name(&DAYS, count == 3).map(drop),
            ('M', 1 | 2) => Some(self.digits(count, 2)?).map(|n| self.found.month = Some(n)),
            ('M', _) => {
                self.name(&MONTHS, count == 3).map(|at| self.found.month = i64::try_from(at + 1).ok())
            }
            // As .NET: 00 to 49 are this century.
            ('y', 1 | 2) => Some(self.digits(count, 2)?)
                .map(|n| self.found.year = Some(if n < 50 { 2000 + n } else { 1900 + n })),
            ('y', _) => Some(self.digits(count, count.max(4))?).map(|n| self.found.year = Some(n)),
            ('H' | 'h', _) => Some(self.digits(count, 2)?).map(|n| self.found.hour = n),
            ('m', _) => Some(self.digits(count, 2)?).map(|n| self.found.minute = n),
            ('s', _) => Some(self.digits(count, 2)?).map(|n| self.found.second = n),
            ('f', _) => self.fraction(count, count),
            ('F', _) => self.fraction(0, count),
            ('t', _) => self.half(count),
            ('z', _) => self.offset(count),
            ('K', _) => {
                if let Some(rest) = self.rest.strip_prefix('Z') {
                    self.rest = rest;
                    Some(())
                } else if self.rest.starts_with(['+', '-']) {
                    self.offset(3)
                } else {
                    Some(())
                }
            }
            _ => self.literal("A.D."),
        }
    }

    /// So many digits; one where the format has one letter and the text has no more.
    fn digits(&mut self, fewest: usize, most: usize) -> Option<i64> {
        let len = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if len < fewest {
            return None;
        }
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        digits.parse().ok()
    }

    fn fraction(&mut self, fewest: usize, most: usize) -> Option<()> {
        let len = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if len < fewest {
            return None;
        }
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        self.found.nanosecond = format!("{digits:0<9}").parse().ok()?;
        Some(())
    }

    fn half(&mut self, count: usize) -> Option<()> {
        let len = count.min(2);
        let word = self.rest.get(..len)?;
        let afternoon = match word.to_ascii_uppercase().as_str() {
            "A" | "AM" => false,
            "P" | "PM" => true,
            _ => return None,
        };
        self.rest = &self.rest[len..];
        self.found.afternoon = Some(afternoon);
        Some(())
    }

    fn name(&mut self, names: &[&str], short: bool) -> Option<usize> {
        names.iter().position(|name| {
            let wanted = if short { &name[..3] } else { name };
            let there = self.rest.get(..wanted.len()).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
            if there {
                self.rest = &self.rest[wanted.len()..];
            }
            there
        })
    }

    fn offset(&mut self, count: usize) -> Option<()> {
        let negative = match self.rest.as_bytes().first()? {
            b'+' => false,
            b'-' => true,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let hours = self.digits(1, 2)?;
        let mut minutes = 0;
        if count == 3 {
            self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
            minutes = self.digits(2, 2)?;
        }
        if hours > 14 || minutes > 59 {
            return None;
        }
        self.found.offset_minutes = (hours * 60 + minutes) * if negative { -1 } else { 1 };
        Some(())
    }
}
