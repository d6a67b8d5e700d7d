//! Pages of a long list of users: what one costs by where it lies, by cursor and by position.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// Resources on a page.
const PAGE: usize = 100;
/// Pages timed at each place of the list; the middle one of their times counts.
const TIMED: usize = 41;

/// One line a place, in the form of the load generator's.
pub(super) fn measure(address: &str, base: &str, token: &str) -> Result<Vec<Value>> {
    let mut client = Client::connect(address, base, token)?;
    let total = client.total()?;
    let mut lines = Vec::new();
    let walked = walk(&mut client, total)?;
    let places = [("first", 0), ("in the middle", walked.len() / 2), ("last", walked.len())];
    for (place, at) in places {
        let from = at.saturating_sub(TIMED / 2).min(walked.len().saturating_sub(TIMED));
        let times = &walked[from..walked.len().min(from + TIMED)];
        lines.push(line("page by cursor", place, total, times.to_vec()));
    }
    for (place, start) in
        [("first", 1), ("in the middle", total / 2), ("last", total.saturating_sub(PAGE) + 1)]
    {
        let mut times = Vec::with_capacity(TIMED);
        for _ in 0..TIMED {
            let begun = Instant::now();
            client.get(&format!("/Users?startIndex={start}&count={PAGE}"))?;
            times.push(begun.elapsed());
        }
        lines.push(line("page by startIndex", place, total, times));
    }
    Ok(lines)
}

/// All pages by cursor, each with its time; every user comes once.
fn walk(client: &mut Client, total: usize) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(total / PAGE + 1);
    let mut cursor = String::new();
    let mut seen = 0;
    loop {
        let begun = Instant::now();
        let page = client.get(&format!("/Users?cursor={cursor}&count={PAGE}"))?;
        times.push(begun.elapsed());
        let page: Value = serde_json::from_slice(&page)?;
        seen += page["Resources"].as_array().map_or(0, Vec::len);
        match page["nextCursor"].as_str() {
            // Cursors are made of characters that stand for themselves in a URL.
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    ensure!(seen == total, "the pages by cursor show {seen} users of {total}");
    Ok(times)
}

fn line(scenario: &str, place: &str, users: usize, mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    let at = |part: f64| {
        let index = (times.len() as f64 * part) as usize;
        times.get(index.min(times.len().saturating_sub(1))).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    };
    let rps = if at(0.5) > 0.0 { 1_000.0 / at(0.5) } else { 0.0 };
    json!({ "scenario": scenario, "extra": { "place": place, "users": users }, "rps": rps.round(),
        "p50_ms": at(0.5), "p99_ms": at(0.99), "failed": 0 })
}

/// One connection that is kept, one request at a time.
struct Client {
    stream: BufReader<TcpStream>,
    head: String,
    base: String,
}

impl Client {
    fn connect(address: &str, base: &str, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let head = format!("HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
        Ok(Self { stream: BufReader::new(stream), head, base: base.to_owned() })
    }

    fn total(&mut self) -> Result<usize> {
        let list: Value = serde_json::from_slice(&self.get("/Users?count=0")?)?;
        let total = list["totalResults"].as_u64().context("a list without totalResults")?;
        Ok(usize::try_from(total)?)
    }

    /// The body of a 200.
    fn get(&mut self, target: &str) -> Result<Vec<u8>> {
        let request = format!("GET {}{target} {}", self.base, self.head);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length, mut line) = (String::new(), 0, String::new());
        self.stream.read_line(&mut status)?;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        ensure!(
            status.starts_with("HTTP/1.1 200"),
            "GET {target} answered {status}{}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}
