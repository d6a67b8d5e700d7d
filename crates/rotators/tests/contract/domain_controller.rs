//! A domain controller as far as passwords go, after [MS-ADTS] 3.1.1.3.1.5: binds, looks logins up, and
//! takes `unicodePwd` in exactly the forms that Active Directory takes. A real one cannot run here without
//! the system's ports.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag, write};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certificate::Certificate;

pub(crate) const DOMAIN: &str = "dc=corp,dc=example";
pub(crate) const ADMIN: &str = "svc-rotate@corp.example";

/// A login of the domain.
struct Login {
    name: &'static str,
    password: String,
    history: Vec<String>,
    /// What a bind with the right password says, where the login is barred.
    barred: Option<&'static str>,
}

#[derive(Default)]
struct State {
    logins: HashMap<String, Login>,
    log: String,
    /// The changes of `unicodePwd` that were taken: replace, or delete and add.
    taken: Vec<&'static str>,
}

pub(crate) struct DomainController {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    accepting: JoinHandle<()>,
}

impl DomainController {
    pub(crate) async fn start(
        certificate: &Certificate,
        logins: &[(&'static str, &str, Option<&'static str>)],
    ) -> Self {
        let chain = vec![CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut state = State::default();
        for (name, password, barred) in logins {
            let login = Login {
                name,
                password: (*password).to_owned(),
                history: vec![(*password).to_owned()],
                barred: *barred,
            };
            state.logins.insert(dn(name), login);
        }
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), shared.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, state).await;
                    }
                });
            }
        });
        Self { address, state, accepting }
    }

    pub(crate) fn log(&self) -> String {
        self.state.lock().unwrap().log.clone()
    }

    pub(crate) fn taken(&self) -> Vec<&'static str> {
        self.state.lock().unwrap().taken.clone()
    }
}

impl Drop for DomainController {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) fn dn(name: &str) -> String {
    format!("CN={name},CN=Users,{DOMAIN}")
}

async fn serve(mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>, state: Arc<Mutex<State>>) {
    let mut received = Vec::new();
    let mut bound = String::new();
    loop {
        if let Ok((rest, message)) = parse_tag(&received) {
            let used = received.len() - rest.len();
            let replies = answer(&mut state.lock().unwrap(), &mut bound, message);
            received.drain(..used);
            let Some(replies) = replies else { return };
            for reply in replies {
                let mut bytes = BytesMut::new();
                write::encode_into(&mut bytes, reply).unwrap();
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
fn answer(state: &mut State, bound: &mut String, message: StructureTag) -> Option<Vec<StructureTag>> {
    let mut parts = message.expect_constructed()?.into_iter();
    let (id, operation) = (parts.next()?, parts.next()?);
    let (number, fields) = (operation.id, operation.expect_constructed());
    let replies = match number {
        0 => {
            let fields = fields?;
            let (name, password) = (text(&fields[1]), text(&fields[2]));
            let (code, says) = bind(state, &name, &password);
            state.log.push_str(&format!("bind {name} {code}\n"));
            *bound = if code == 0 { name } else { String::new() };
            vec![result(1, code, &says)]
        }
        3 => search(state, &fields?),
        6 => {
            let fields = fields?;
            let (code, says) = modify(state, bound, &fields);
            state.log.push_str(&format!("modify {} {code}\n", text(&fields[0])));
            vec![result(7, code, &says)]
        }
        _ => return None,
    };
    Some(replies.into_iter().map(|reply| sequence(vec![id.clone(), reply])).collect())
}

fn find<'a>(state: &'a mut State, name: &str) -> Option<&'a mut Login> {
    let bare = name.split('@').next().unwrap_or(name).rsplit('\\').next().unwrap_or(name).to_owned();
    state
        .logins
        .iter_mut()
        .find(|(dn, login)| dn.eq_ignore_ascii_case(name) || login.name == bare)
        .map(|(_, login)| login)
}

fn bind(state: &mut State, name: &str, password: &str) -> (u8, String) {
    let refused = |data: &str| {
        (
            49,
            format!(
                "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {data}, v2580"
            ),
        )
    };
    match find(state, name) {
        None => refused("52e"),
        Some(login) if login.password != password => refused("52e"),
        Some(Login { barred: Some(data), .. }) => refused(data),
        Some(_) => (0, String::new()),
    }
}

fn search(state: &mut State, fields: &[StructureTag]) -> Vec<StructureTag> {
    let (base, scope) = (text(&fields[0]), bytes(&fields[1])[0]);
    let mut found = Vec::new();
    if base.is_empty() {
        found.push((
            String::new(),
            vec![("defaultNamingContext", DOMAIN.to_owned()), ("dnsHostName", "dc1.corp.example".to_owned())],
        ));
    } else if scope == 0 {
        found.extend(
            find(state, &base).map(|login| (dn(login.name), vec![("userAccountControl", "512".to_owned())])),
        );
    } else {
        let mut names = Vec::new();
        values(&fields[6], &mut names);
        for login in state
            .logins
            .values()
            .filter(|login| names.iter().any(|name| name.split('@').next() == Some(login.name)))
        {
            let disabled = login.barred == Some("533");
            found.push((
                dn(login.name),
                vec![("userAccountControl", if disabled { "514" } else { "512" }.to_owned())],
            ));
        }
    }
    let mut replies: Vec<_> = found
        .into_iter()
        .map(|(dn, attributes)| {
            let attributes = attributes
                .into_iter()
                .map(|(name, value)| {
                    sequence(vec![octets(name.as_bytes()), set(vec![octets(value.as_bytes())])])
                })
                .collect();
            application(4, vec![octets(dn.as_bytes()), sequence(attributes)])
        })
        .collect();
    replies.push(result(5, 0, ""));
    replies
}

/// All values that a filter compares with.
fn values(filter: &StructureTag, into: &mut Vec<String>) {
    if let PL::C(parts) = &filter.payload {
        if filter.id == 3 && filter.class == TagClass::Context {
            into.push(text(&parts[1]));
        }
        parts.iter().for_each(|part| values(part, into));
    }
}

fn modify(state: &mut State, bound: &str, fields: &[StructureTag]) -> (u8, String) {
    let wrong_form =
        || (53, "0000001F: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0\n".to_owned());
    let rules = || {
        (19, "0000052D: AtrErr: DSID-03191083, #1:\n\t0: 0000052D: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 9005a (unicodePwd)\n".to_owned())
    };
    let dn = text(&fields[0]);
    let mut changes = Vec::new();
    for change in parts(&fields[1]) {
        let [operation, attribute] = parts(change) else { return wrong_form() };
        let [name, all] = parts(attribute) else { return wrong_form() };
        let [value] = parts(all) else { return wrong_form() };
        let Some(password) = (text(name) == "unicodePwd").then(|| unquoted(&bytes(value))).flatten() else {
            return wrong_form();
        };
        changes.push((bytes(operation)[0], password));
    }
    let by_admin = bound == ADMIN;
    let own = find(state, bound).is_some_and(|login| dn.eq_ignore_ascii_case(&self::dn(login.name)));
    let Some(login) = state.logins.get_mut(&dn) else { return (32, String::new()) };
    let (how, new) = match changes.as_slice() {
        [(2, new)] if by_admin => ("replace", new),
        [(1, old), (0, new)] if own => {
            if *old != login.password {
                return (19, "00000056: AtrErr: DSID-03191083, #1:\n\t0: 00000056: DSID-03191083, problem 1005 (CONSTRAINT_ATT_TYPE)".to_owned());
            }
            if login.history.contains(new) {
                return rules();
            }
            ("delete and add", new)
        }
        [(2, _)] => {
            return (
                50,
                "00000005: SecErr: DSID-031A1190, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0".to_owned(),
            );
        }
        _ => return wrong_form(),
    };
    if new.chars().count() < 7 {
        return rules();
    }
    login.password.clone_from(new);
    login.history.push(new.clone());
    state.taken.push(how);
    (0, String::new())
}

/// The password in `"…"` as UTF-16, low byte first; none where it has another form.
fn unquoted(value: &[u8]) -> Option<String> {
    let (units, []) = value.as_chunks::<2>() else { return None };
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let text = String::from_utf16(&units).ok()?;
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

fn parts(tag: &StructureTag) -> &[StructureTag] {
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

fn set(parts: Vec<StructureTag>) -> StructureTag {
    StructureTag { class: TagClass::Universal, id: 17, payload: PL::C(parts) }
}

fn application(id: u64, parts: Vec<StructureTag>) -> StructureTag {
    StructureTag { class: TagClass::Application, id, payload: PL::C(parts) }
}

fn result(id: u64, code: u8, says: &str) -> StructureTag {
    let code = StructureTag { class: TagClass::Universal, id: 10, payload: PL::P(vec![code]) };
    application(id, vec![code, octets(b""), octets(says.as_bytes())])
}
