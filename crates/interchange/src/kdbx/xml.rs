//! The database's XML: groups of entries. Protected values are read in the order in which they stand.

use aes::cipher::StreamCipher;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20::ChaCha20;
use quick_xml::events::{BytesRef, BytesStart, Event};
use zeroize::Zeroizing;

use super::FORMAT;
use super::entry::Entry;
use crate::error::ReadError;
use crate::item::Reading;
use crate::limits::Limits;

pub(super) fn read(
    text: &str,
    stream: &mut ChaCha20,
    reading: &mut Reading,
    limits: &Limits,
) -> Result<(), ReadError> {
    let malformed = |why: &str| ReadError::malformed(FORMAT, why);
    let mut xml = quick_xml::Reader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    let mut walk = Walk::new(stream);
    loop {
        match xml.read_event().map_err(|_| malformed("its XML does not read"))? {
            Event::Start(start) => walk.enter(&start, limits)?,
            Event::End(_) => walk.leave(reading, limits)?,
            Event::Text(part) => walk.text.push_str(&part.xml10_content()),
            Event::CData(part) => walk.text.push_str(&part.xml10_content()),
            Event::GeneralRef(name) => {
                walk.text
                    .push(character(&name).ok_or_else(|| malformed("its XML names an unknown character"))?);
            }
            // Entities of one's own are how small XML becomes large.
            Event::DocType(_) => return Err(malformed("its XML has a document type")),
            Event::Eof if walk.open.is_empty() && walk.has_root => return Ok(()),
            Event::Eof => return Err(malformed("its XML ends in the middle")),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
}

fn character(name: &BytesRef<'_>) -> Option<char> {
    match &name.xml10_content()[..] {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    }
}

/// The elements that mean something to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    Meta,
    RecycleBin,
    Group,
    Entry,
    History,
    Id,
    Name,
    Field,
    Key,
    Value { protected: bool },
    Binary,
    Other,
}

struct Group {
    id: String,
    name: String,
}

struct Walk<'a> {
    stream: &'a mut ChaCha20,
    open: Vec<Tag>,
    has_root: bool,
    text: Zeroizing<String>,
    groups: Vec<Group>,
    bin: Option<String>,
    entry: Option<Entry>,
    count: u64,
    key: String,
    value: Result<Zeroizing<String>, ()>,
}

impl<'a> Walk<'a> {
    fn new(stream: &'a mut ChaCha20) -> Self {
        Self {
            stream,
            open: Vec::new(),
            has_root: false,
            text: Zeroizing::default(),
            groups: Vec::new(),
            bin: None,
            entry: None,
            count: 0,
            key: String::new(),
            value: Ok(Zeroizing::default()),
        }
    }

    fn enter(&mut self, start: &BytesStart<'_>, limits: &Limits) -> Result<(), ReadError> {
        if self.open.len() >= limits.nesting {
            return Err(ReadError::malformed(FORMAT, "its groups nest too deep"));
        }
        self.has_root = true;
        self.text = Zeroizing::default();
        let tag = match start.name().as_ref() {
            "Meta" => Tag::Meta,
            "RecycleBinUUID" => Tag::RecycleBin,
            "Group" => Tag::Group,
            "Entry" => Tag::Entry,
            "History" => Tag::History,
            "UUID" => Tag::Id,
            "Name" => Tag::Name,
            "String" => Tag::Field,
            "Key" => Tag::Key,
            "Value" => {
                let protected = start.try_get_attribute("Protected").ok().flatten();
                Tag::Value {
                    protected: protected.is_some_and(|word| word.value.eq_ignore_ascii_case("true")),
                }
            }
            "Binary" => Tag::Binary,
            _ => Tag::Other,
        };
        match tag {
            Tag::Group => self.groups.push(Group { id: String::new(), name: String::new() }),
            Tag::Entry if !self.in_history() => {
                self.count += 1;
                self.entry = Some(Entry::new(self.count));
            }
            Tag::Field => {
                self.key = String::new();
                self.value = Ok(Zeroizing::default());
            }
            _ => {}
        }
        self.open.push(tag);
        Ok(())
    }

    fn leave(&mut self, reading: &mut Reading, limits: &Limits) -> Result<(), ReadError> {
        let Some(tag) = self.open.pop() else { return Ok(()) };
        let text = std::mem::take(&mut self.text);
        let within = self.open.last().copied();
        match tag {
            Tag::RecycleBin if within == Some(Tag::Meta) => self.bin = Some(text.trim().to_owned()),
            Tag::Id | Tag::Name if within == Some(Tag::Group) => {
                if let Some(group) = self.groups.last_mut() {
                    let field = if tag == Tag::Id { &mut group.id } else { &mut group.name };
                    text.trim().clone_into(field);
                }
            }
            Tag::Key if within == Some(Tag::Field) => self.key = text.trim().to_owned(),
            // Even one that is thrown away moves the stream on.
            Tag::Value { protected: true } => self.value = self.unprotect(&text)?,
            Tag::Value { protected: false } if within == Some(Tag::Field) => self.value = Ok(text),
            Tag::Field if within == Some(Tag::Entry) && !self.in_history() => {
                let value = std::mem::replace(&mut self.value, Ok(Zeroizing::default()));
                let key = std::mem::take(&mut self.key);
                if let Some(entry) = &mut self.entry {
                    entry.field(key, value);
                }
            }
            Tag::Binary if within == Some(Tag::Entry) && !self.in_history() => {
                self.entry.iter_mut().for_each(|entry| entry.files += 1);
            }
            Tag::Entry if !self.in_history() => {
                let in_bin = self.in_bin();
                // The root group is the database itself.
                let folder = self.groups.iter().skip(1).map(|group| group.name.clone()).collect();
                if let Some(entry) = self.entry.take() {
                    entry.finish(folder, in_bin, reading, limits);
                }
                limits.check_count(reading)?;
            }
            Tag::Group => {
                self.groups.pop();
            }
            _ => {}
        }
        Ok(())
    }

    fn unprotect(&mut self, text: &str) -> Result<Result<Zeroizing<String>, ()>, ReadError> {
        let odd = |_| ReadError::malformed(FORMAT, "a protected value in it is not base64");
        let mut bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(odd)?);
        let spent = |_| ReadError::malformed(FORMAT, "its protected values are too long");
        self.stream.try_apply_keystream(&mut bytes).map_err(spent)?;
        Ok(std::str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned())).map_err(|_| ()))
    }

    fn in_history(&self) -> bool {
        self.open.contains(&Tag::History)
    }

    fn in_bin(&self) -> bool {
        let bin = self.bin.as_deref().filter(|id| !id.is_empty());
        bin.is_some_and(|bin| self.groups.iter().any(|group| group.id == bin))
    }
}
