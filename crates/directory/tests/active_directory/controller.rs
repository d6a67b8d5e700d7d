//! A domain controller as far as reading goes, after [MS-ADTS]: pages, ids in bytes, numbers of changes
//! (3.1.1.3.2.15) and lists that come in ranges (3.1.1.3.1.3.3). A real one cannot run here without the
//! system's ports.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag, write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const BASE: &str = "DC=corp,DC=example";
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// No page is longer, whatever is asked for.
const PAGE: usize = 5;
/// No list is longer in one answer.
const RANGE: usize = 4;

pub(crate) type Shared = Arc<Mutex<Domain>>;

/// Attributes of an entry, by their names.
type Attributes = BTreeMap<String, Vec<Vec<u8>>>;

#[derive(Debug, Default)]
pub(crate) struct Domain {
    entries: BTreeMap<String, Attributes>,
    pub(crate) usn: u64,
    pub(crate) server: String,
    /// Names of entries come as bytes that are no text.
    pub(crate) garbled: bool,
    /// The searches below the base.
    pub(crate) searches: Vec<String>,
}

impl Domain {
    pub(crate) async fn start(self) -> (Shared, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Mutex::new(self));
        let state = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, state.clone()));
            }
        });
        (shared, port)
    }

    /// Writes some attributes of an entry; that counts as a change.
    pub(crate) fn set(&mut self, dn: &str, attributes: &[(&str, &[&str])]) {
        self.usn += 1;
        let usn = self.usn.to_string().into_bytes();
        let entry = self.entries.entry(dn.to_owned()).or_default();
        for (name, values) in attributes {
            entry.insert((*name).to_owned(), values.iter().map(|value| value.as_bytes().to_vec()).collect());
        }
        entry.insert("uSNChanged".to_owned(), vec![usn]);
    }

    pub(crate) fn person(&mut self, number: u8, attributes: &[(&str, &[&str])]) {
        let name = format!("p{number}");
        self.set(
            &person(number),
            &[
                ("objectClass", &["user"]),
                ("objectCategory", &["person"]),
                ("sAMAccountName", &[&name]),
                ("userAccountControl", &["512"]),
            ],
        );
        self.set(&person(number), attributes);
        self.id(&person(number), number);
    }

    pub(crate) fn id(&mut self, dn: &str, number: u8) {
        let entry = self.entries.get_mut(dn).expect("the entry");
        // Some of these bytes are no text, as it is.
        let bytes = [number, 0xFF, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        entry.insert("objectGUID".to_owned(), vec![bytes.to_vec()]);
    }

    pub(crate) fn remove(&mut self, dn: &str) {
        self.usn += 1;
        self.entries.remove(dn);
    }

    pub(crate) fn rename(&mut self, dn: &str, new: &str) {
        let entry = self.entries.remove(dn).expect("the entry");
        self.entries.insert(new.to_owned(), entry);
        self.set(new, &[]);
    }
}

pub(crate) fn person(number: u8) -> String {
    format!("CN=Person {number},CN=Users,{BASE}")
}

async fn serve(mut stream: TcpStream, state: Shared) {
    let mut received = Vec::new();
    loop {
        if let Ok((rest, message)) = parse_tag(&received) {
            let used = received.len() - rest.len();
            let replies = answer(&mut state.lock().expect("the domain"), message);
            received.drain(..used);
            let Some(replies) = replies else { return };
            for reply in replies {
                let mut bytes = BytesMut::new();
                write::encode_into(&mut bytes, reply).expect("a message");
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            continue;
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => received.extend_from_slice(&buffer[..read]),
        }
    }
}

/// The replies, or none where the connection ends.
fn answer(domain: &mut Domain, message: StructureTag) -> Option<Vec<StructureTag>> {
    let mut parts = message.expect_constructed()?.into_iter();
    let (id, operation, controls) = (parts.next()?, parts.next()?, parts.next());
    let replies = match operation.id {
        0 => vec![(result(1), None)],
        3 => search(domain, &operation.expect_constructed()?, controls.as_ref()),
        _ => return None,
    };
    let reply = |(reply, control): (StructureTag, Option<StructureTag>)| {
        sequence([id.clone(), reply].into_iter().chain(control).collect())
    };
    Some(replies.into_iter().map(reply).collect())
}

fn search(
    domain: &mut Domain,
    fields: &[StructureTag],
    controls: Option<&StructureTag>,
) -> Vec<(StructureTag, Option<StructureTag>)> {
    let (base, whole) = (text(&fields[0]), bytes(&fields[1])[0] == 2);
    let wanted: Vec<String> = inner(&fields[7]).iter().map(text).collect();
    if base.is_empty() {
        let root = Attributes::from([
            ("highestCommittedUSN".to_owned(), vec![domain.usn.to_string().into_bytes()]),
            ("dsServiceName".to_owned(), vec![domain.server.clone().into_bytes()]),
            ("supportedControl".to_owned(), vec![PAGED_RESULTS.as_bytes().to_vec()]),
        ]);
        return vec![(entry("", &root, &wanted), None), (result(5), None)];
    }
    if domain.garbled {
        let nameless = application(4, vec![octets(&[0xFF]), sequence(Vec::new())]);
        return vec![(nameless, None), (result(5), None)];
    }
    if whole {
        domain.searches.push(wanted.join(","));
    }
    let meant = |dn: &String| {
        if whole { dn.to_lowercase().ends_with(&base.to_lowercase()) } else { dn.eq_ignore_ascii_case(&base) }
    };
    let found: Vec<(&String, &Attributes)> =
        domain.entries.iter().filter(|(dn, one)| meant(dn) && passes(&fields[6], one)).collect();
    let Some(paging) = controls.and_then(paging) else {
        let all = found.iter().map(|(dn, one)| (entry(dn, one, &wanted), None));
        return all.chain([(result(5), None)]).collect();
    };
    let start: usize = paging.parse().unwrap_or(0);
    let page = found.iter().skip(start).take(PAGE);
    let next = start + PAGE;
    let cookie = if next < found.len() { next.to_string() } else { String::new() };
    let mut replies: Vec<_> = page.map(|(dn, one)| (entry(dn, one, &wanted), None)).collect();
    let size = StructureTag { class: TagClass::Universal, id: 2, payload: PL::P(vec![0]) };
    let mut value = BytesMut::new();
    write::encode_into(&mut value, sequence(vec![size, octets(cookie.as_bytes())])).expect("a value");
    let control = sequence(vec![octets(PAGED_RESULTS.as_bytes()), octets(&value)]);
    let controls = StructureTag { class: TagClass::Context, id: 0, payload: PL::C(vec![control]) };
    replies.push((result(5), Some(controls)));
    replies
}

/// The cookie of a paged search.
fn paging(controls: &StructureTag) -> Option<String> {
    let control = inner(controls).iter().find(|one| text(&inner(one)[0]) == PAGED_RESULTS)?;
    let value = bytes(inner(control).last()?);
    let (_, value) = parse_tag(&value).ok()?;
    Some(text(&inner(&value)[1]))
}

fn passes(filter: &StructureTag, entry: &Attributes) -> bool {
    let values = |name: &str| -> Vec<&Vec<u8>> {
        entry
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .flat_map(|(_, values)| values)
            .collect()
    };
    match (filter.id, inner(filter)) {
        (0, all) => all.iter().all(|one| passes(one, entry)),
        (1, any) => any.iter().any(|one| passes(one, entry)),
        (2, [one]) => !passes(one, entry),
        (3, [name, value]) => values(&text(name)).iter().any(|own| own.eq_ignore_ascii_case(&bytes(value))),
        (5, [name, value]) => {
            let number =
                |value: &[u8]| std::str::from_utf8(value).expect("digits").parse::<u64>().expect("a number");
            values(&text(name)).iter().any(|own| number(own) >= number(&bytes(value)))
        }
        (7, _) => !values(&text(filter)).is_empty(),
        (other, _) => panic!("no such filter: {other}"),
    }
}

fn entry(dn: &str, own: &Attributes, wanted: &[String]) -> StructureTag {
    let mut all = Vec::new();
    for name in wanted {
        let (plain, range) =
            name.split_once(";range=").map_or((name.as_str(), None), |(plain, range)| (plain, Some(range)));
        let Some((name, values)) = own.iter().find(|(name, _)| name.eq_ignore_ascii_case(plain)) else {
            continue;
        };
        let start =
            range.map_or(0, |range| range.split('-').next().expect("a start").parse().expect("a number"));
        if values.len() > RANGE || range.is_some() {
            let some: Vec<_> = values.iter().skip(start).take(RANGE).cloned().collect();
            let end = start + some.len();
            let end = if end >= values.len() { "*".to_owned() } else { (end - 1).to_string() };
            all.push((name.clone(), Vec::new()));
            all.push((format!("{name};range={start}-{end}"), some));
        } else {
            all.push((name.clone(), values.clone()));
        }
    }
    let one = |(name, values): (String, Vec<Vec<u8>>)| {
        let values = values.iter().map(|value| octets(value)).collect();
        sequence(vec![
            octets(name.as_bytes()),
            StructureTag { class: TagClass::Universal, id: 17, payload: PL::C(values) },
        ])
    };
    application(4, vec![octets(dn.as_bytes()), sequence(all.into_iter().map(one).collect())])
}

fn inner(tag: &StructureTag) -> &[StructureTag] {
    match &tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => &[],
    }
}

fn bytes(tag: &StructureTag) -> Vec<u8> {
    match &tag.payload {
        PL::P(bytes) => bytes.clone(),
        PL::C(_) => Vec::new(),
    }
}

fn text(tag: &StructureTag) -> String {
    String::from_utf8_lossy(&bytes(tag)).into_owned()
}

fn octets(value: &[u8]) -> StructureTag {
    StructureTag { class: TagClass::Universal, id: 4, payload: PL::P(value.to_vec()) }
}

fn sequence(parts: Vec<StructureTag>) -> StructureTag {
    StructureTag { class: TagClass::Universal, id: 16, payload: PL::C(parts) }
}

fn application(id: u64, parts: Vec<StructureTag>) -> StructureTag {
    StructureTag { class: TagClass::Application, id, payload: PL::C(parts) }
}

fn result(id: u64) -> StructureTag {
    let code = StructureTag { class: TagClass::Universal, id: 10, payload: PL::P(vec![0]) };
    application(id, vec![code, octets(b""), octets(b"")])
}
