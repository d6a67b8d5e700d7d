//! The stream, byte by byte. Numbers are big-endian.
//!
//! ```text
//! stream  = "LKROWS1\n" schema:i64 table* 0x04 length:u32 manifest(JSON)
//! table   = 0x01 name count:u16 column* row* 0x03
//! row     = 0x02 cell*                         one for each column
//! cell    = 0x00 | 0x01 i64 | 0x02 length:u32 text | 0x03 length:u32 bytes
//! name, column = length:u16 text
//! ```

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::{Manifest, SnapshotError, TableSum};

const MAGIC: &[u8; 8] = b"LKROWS1\n";
const TABLE: u8 = 1;
const ROW: u8 = 2;
const END: u8 = 3;
const MANIFEST: u8 = 4;
/// More than any row has: an attachment's mebibyte and what goes with it.
const CELL_MAX: u32 = 64 << 20;

/// A value of no database in particular: an id is its bytes, a boolean 0 or 1, an instant a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Writes a stream.
pub(super) struct Writer<W> {
    out: W,
    manifest: Manifest,
    open: Option<(String, Sha256, u64)>,
    row: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(mut out: W, schema: i64) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        out.write_all(&schema.to_be_bytes())?;
        let manifest = Manifest { schema, tables: BTreeMap::new() };
        Ok(Self { out, manifest, open: None, row: Vec::new() })
    }

    pub(super) fn begin(&mut self, name: &str, columns: &[String]) -> io::Result<()> {
        self.end()?;
        let mut head = vec![TABLE];
        put_name(&mut head, name)?;
        head.extend(u16::try_from(columns.len()).map_err(io::Error::other)?.to_be_bytes());
        for column in columns {
            put_name(&mut head, column)?;
        }
        self.out.write_all(&head)?;
        self.open = Some((name.to_owned(), Sha256::new_with_prefix(&head), 0));
        Ok(())
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> io::Result<()> {
        let (_, digest, count) = self.open.as_mut().ok_or_else(|| io::Error::other("no table is open"))?;
        self.row.clear();
        self.row.push(ROW);
        for cell in cells {
            put_cell(&mut self.row, &cell)?;
        }
        digest.update(&self.row);
        *count += 1;
        self.out.write_all(&self.row)
    }

    pub(super) fn finish(mut self) -> io::Result<(Manifest, W)> {
        self.end()?;
        let manifest = serde_json::to_vec(&self.manifest)?;
        self.out.write_all(&[MANIFEST])?;
        self.out.write_all(&u32::try_from(manifest.len()).map_err(io::Error::other)?.to_be_bytes())?;
        self.out.write_all(&manifest)?;
        Ok((self.manifest, self.out))
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some((name, digest, rows)) = self.open.take() {
            self.out.write_all(&[END])?;
            self.manifest.tables.insert(name, TableSum { rows, digest: hex(digest) });
        }
        Ok(())
    }
}

/// What comes next in a stream.
pub(super) enum Part {
    /// A table, with its columns.
    Table(String, Vec<String>),
    /// A row of it.
    Row(Vec<Cell>),
}

/// Reads a stream, and checks each table against the manifest at the end.
pub(super) struct Reader<R> {
    from: R,
    found: Manifest,
    open: Option<(String, usize, Sha256, u64)>,
    said: Option<Manifest>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(mut from: R) -> Result<Self, SnapshotError> {
        if &array::<8>(&mut from)? != MAGIC {
            return Err(SnapshotError::Form("it holds no rows of Latchkey's".to_owned()));
        }
        let schema = i64::from_be_bytes(array(&mut from)?);
        Ok(Self { from, found: Manifest { schema, tables: BTreeMap::new() }, open: None, said: None })
    }

    pub(super) const fn schema(&self) -> i64 {
        self.found.schema
    }

    /// The next part; nothing after the last, when all is read and the manifest with it.
    pub(super) fn next(&mut self) -> Result<Option<Part>, SnapshotError> {
        loop {
            let [tag] = array(&mut self.from)?;
            match (tag, &mut self.open) {
                (TABLE, None) => return self.table().map(Some),
                (ROW, Some((_, width, digest, count))) => {
                    *count += 1;
                    let mut raw = vec![ROW];
                    let cells =
                        (0..*width).map(|_| cell(&mut self.from, &mut raw)).collect::<Result<_, _>>()?;
                    digest.update(&raw);
                    return Ok(Some(Part::Row(cells)));
                }
                (END, Some(_)) => {
                    let Some((name, _, digest, rows)) = self.open.take() else { continue };
                    self.found.tables.insert(name, TableSum { rows, digest: hex(digest) });
                }
                (MANIFEST, None) => {
                    let length = u32::from_be_bytes(array(&mut self.from)?);
                    let json = bytes(&mut self.from, length)?;
                    let said = serde_json::from_slice(&json);
                    self.said =
                        Some(said.map_err(|_| SnapshotError::Form("its manifest is none".to_owned()))?);
                    if self.from.read(&mut [0])? != 0 {
                        return Err(SnapshotError::Form("something comes after its manifest".to_owned()));
                    }
                    return Ok(None);
                }
                _ => return Err(SnapshotError::Form(format!("it has a part {tag} out of place"))),
            }
        }
    }

    /// The manifest, if the rows that were read are those that it says.
    pub(super) fn manifest(self) -> Result<Manifest, SnapshotError> {
        match self.said {
            Some(said) if said == self.found => Ok(said),
            Some(said) => {
                let tables = said.differences(&self.found).join(", ");
                Err(SnapshotError::Form(format!("its rows are not those of its manifest, in {tables}")))
            }
            None => Err(SnapshotError::Form("it was not read to its end".to_owned())),
        }
    }

    fn table(&mut self) -> Result<Part, SnapshotError> {
        let mut raw = vec![TABLE];
        let name = name(&mut self.from, &mut raw)?;
        let count = array::<2>(&mut self.from)?;
        raw.extend(count);
        let columns = (0..u16::from_be_bytes(count)).map(|_| self::name(&mut self.from, &mut raw));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        self.open = Some((name.clone(), columns.len(), Sha256::new_with_prefix(&raw), 0));
        Ok(Part::Table(name, columns))
    }
}

fn put_name(out: &mut Vec<u8>, name: &str) -> io::Result<()> {
    out.extend(u16::try_from(name.len()).map_err(io::Error::other)?.to_be_bytes());
    out.extend(name.as_bytes());
    Ok(())
}

fn put_cell(out: &mut Vec<u8>, cell: &Cell) -> io::Result<()> {
    let (tag, content) = match cell {
        Cell::Null => {
            out.push(0);
            return Ok(());
        }
        Cell::Int(number) => {
            out.push(1);
            out.extend(number.to_be_bytes());
            return Ok(());
        }
        Cell::Text(text) => (2, text.as_bytes()),
        Cell::Bytes(bytes) => (3, &bytes[..]),
    };
    let length = u32::try_from(content.len()).ok().filter(|length| *length <= CELL_MAX);
    out.push(tag);
    out.extend(length.ok_or_else(|| io::Error::other("a value is too long for a backup"))?.to_be_bytes());
    out.extend(content);
    Ok(())
}

fn cell(from: &mut impl Read, raw: &mut Vec<u8>) -> Result<Cell, SnapshotError> {
    let odd = |what: &str| SnapshotError::Form(format!("a value in it is {what}"));
    let [tag] = array(from)?;
    raw.push(tag);
    match tag {
        0 => Ok(Cell::Null),
        1 => {
            let number = array(from)?;
            raw.extend(number);
            Ok(Cell::Int(i64::from_be_bytes(number)))
        }
        2 | 3 => {
            let length = array(from)?;
            raw.extend(length);
            let length = u32::from_be_bytes(length);
            if length > CELL_MAX {
                return Err(odd("too long"));
            }
            let content = bytes(from, length)?;
            raw.extend(&content);
            if tag == 3 {
                return Ok(Cell::Bytes(content));
            }
            String::from_utf8(content).map(Cell::Text).map_err(|_| odd("no text"))
        }
        _ => Err(odd("of an unknown kind")),
    }
}

fn name(from: &mut impl Read, raw: &mut Vec<u8>) -> Result<String, SnapshotError> {
    let length = array(from)?;
    raw.extend(length);
    let content = bytes(from, u32::from(u16::from_be_bytes(length)))?;
    raw.extend(&content);
    // Names become part of statements.
    let plain =
        content.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_');
    String::from_utf8(content)
        .ok()
        .filter(|name| plain && !name.is_empty())
        .ok_or_else(|| SnapshotError::Form("a name in it is none of a table or column".to_owned()))
}

fn array<const N: usize>(from: &mut impl Read) -> Result<[u8; N], SnapshotError> {
    let mut out = [0; N];
    from.read_exact(&mut out)?;
    Ok(out)
}

/// Takes room as the bytes come, not as a length promises them.
fn bytes(from: &mut impl Read, length: u32) -> Result<Vec<u8>, SnapshotError> {
    let mut out = Vec::new();
    let count = from.take(u64::from(length)).read_to_end(&mut out)?;
    if u32::try_from(count) == Ok(length) {
        Ok(out)
    } else {
        Err(SnapshotError::Stream(io::ErrorKind::UnexpectedEof.into()))
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
