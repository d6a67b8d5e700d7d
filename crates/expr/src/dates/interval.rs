//! The intervals of `DateAdd` and `DateDiff`, as Visual Basic counts them.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Span, Unit};

/// The words for an interval.
pub(crate) const WORDS: &[&str] = &["yyyy", "m", "d", "ww", "h", "n", "s"];

/// A date that is `count` intervals later; the end of a month stays within its month.
pub(crate) fn add(interval: &str, count: i64, at: DateTime) -> Option<DateTime> {
    let span = match interval {
        "yyyy" => Span::new().try_years(count),
        "m" => Span::new().try_months(count),
        "d" => Span::new().try_days(count),
        "ww" => Span::new().try_weeks(count),
        "h" => Span::new().try_hours(count),
        "n" => Span::new().try_minutes(count),
        "s" => Span::new().try_seconds(count),
        _ => return None,
    };
    at.checked_add(span.ok()?).ok()
}

/// How many intervals lie from one date to another: years and months by the calendar's fields,
/// weeks by the Sundays between, all else in whole units toward zero.
pub(crate) fn between(interval: &str, from: DateTime, to: DateTime) -> Option<i64> {
    let elapsed = || -> Option<SignedDuration> {
        let span = from.until((Unit::Hour, to)).ok()?;
        span.to_duration(from).ok()
    };
    Some(match interval {
        "yyyy" => i64::from(to.year()) - i64::from(from.year()),
        "m" => {
            let years = i64::from(to.year()) - i64::from(from.year());
            years * 12 + i64::from(to.month()) - i64::from(from.month())
        }
        "ww" => week(to)? - week(from)?,
        "d" => elapsed()?.as_hours() / 24,
        "h" => elapsed()?.as_hours(),
        "n" => elapsed()?.as_mins(),
        "s" => elapsed()?.as_secs(),
        _ => return None,
    })
}

/// The number of the week that a day is in, where weeks begin on Sundays.
fn week(at: DateTime) -> Option<i64> {
    let first_sunday = jiff::civil::date(1, 1, 7);
    let days = first_sunday.until((Unit::Day, at.date())).ok()?.get_days();
    Some(i64::from(days).div_euclid(7))
}
