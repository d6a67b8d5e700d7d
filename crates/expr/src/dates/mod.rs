//! Dates and times as expressions write and read them.

pub(crate) mod dotnet;
pub(crate) mod interval;

use jiff::civil::DateTime;

use self::dotnet::{Format, Styles};

/// As `CDate`, `Now` and their like print: `M/d/yyyy h:mm:ss tt`.
pub(crate) fn print(at: DateTime) -> String {
    let (hour, half) = twelve(at.hour());
    format!(
        "{}/{}/{:04} {hour}:{:02}:{:02} {half}",
        at.month(),
        at.day(),
        at.year(),
        at.minute(),
        at.second()
    )
}

pub(crate) fn twelve(hour: i8) -> (i8, &'static str) {
    let half = if hour < 12 { "AM" } else { "PM" };
    (if hour % 12 == 0 { 12 } else { hour % 12 }, half)
}

/// Reads a date in the forms that directories and these functions write: ISO 8601 with or without
/// time and offset, and `M/d/yyyy` with or without a time. The result is in UTC; without an offset
/// it is taken to be that already.
pub(crate) fn read(text: &str) -> Option<DateTime> {
    static FORMATS: std::sync::LazyLock<Vec<Format>> = std::sync::LazyLock::new(|| {
        let dates = ["yyyy-M-d", "M/d/yyyy", "yyyyMMdd"];
        let times = ["", "THH:mm:ss", "THH:mm", " HH:mm:ss", " HH:mm", " h:mm:ss tt", " h:mm tt", "THHmmss"];
        let mut formats = Vec::new();
        for date in dates {
            for time in times {
                for fraction in if time.ends_with("ss") { ["", ".FFFFFFF"].as_slice() } else { &[""] } {
                    formats.push(format!("{date}{time}{fraction}K"));
                }
            }
        }
        formats.iter().filter_map(|format| Format::parse(format).ok()).collect()
    });
    FORMATS.iter().find_map(|format| format.read(text, Styles::default()))
}

/// The instant that a Windows file time names: steps of 100 ns since 1601 in UTC.
pub(crate) fn from_file_time(ticks: i64) -> Option<DateTime> {
    let seconds = ticks.div_euclid(10_000_000) - FILE_TIME_EPOCH;
    let nanoseconds = i32::try_from(ticks.rem_euclid(10_000_000) * 100).ok()?;
    let at = jiff::Timestamp::new(seconds, nanoseconds).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(at))
}

/// The Windows file time of an instant.
pub(crate) fn to_file_time(at: DateTime) -> Option<i64> {
    let at = jiff::tz::Offset::UTC.to_timestamp(at).ok()?;
    let ticks = (at.as_second() + FILE_TIME_EPOCH).checked_mul(10_000_000)?;
    ticks.checked_add(i64::from(at.subsec_nanosecond()) / 100)
}

/// Seconds from 1601 to 1970.
const FILE_TIME_EPOCH: i64 = 11_644_473_600;

/// The present instant, in UTC.
pub(crate) fn now(at: latchkey_kernel::Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(at))
}
