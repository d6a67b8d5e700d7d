//! Which items are there already, among each other or among the accounts that one has.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::item::Item;

/// What is known of an account that exists.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where one signs in.
    pub url: Option<&'a str>,
    /// The login name.
    pub username: Option<&'a str>,
}

/// In what two logins are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The same host and login name: most likely one and the same.
    Login,
    /// The same name, and not two different logins: perhaps the same.
    Name,
}

impl Likeness {
    /// As a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Name => "name",
        }
    }
}

/// What an item is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// An account, by its place in the list of those known.
    Known(usize),
    /// An earlier item, by its place in the list of items.
    Item(usize),
}

/// That an item is like another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duplicate {
    /// The place of the item in the list of items.
    pub item: usize,
    /// What it is like.
    pub twin: Twin,
    /// In what.
    pub likeness: Likeness,
}

/// At most one for each item: the likest, and what is known already before other items.
pub fn duplicates(items: &[Item], known: &[Known<'_>]) -> Vec<Duplicate> {
    let mut logins = HashMap::new();
    let mut names = HashMap::new();
    for (at, account) in known.iter().enumerate() {
        let login = login(account.url, account.username);
        names.entry(fold(account.name)).or_insert((Twin::Known(at), login.clone()));
        if let Some(login) = login {
            logins.entry(login).or_insert(Twin::Known(at));
        }
    }
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let login = login(item.urls.first().map(String::as_str), item.username.as_deref());
        let by_login = login.clone().and_then(|login| match logins.entry(login) {
            Entry::Occupied(twin) => Some(*twin.get()),
            Entry::Vacant(free) => {
                free.insert(Twin::Item(at));
                None
            }
        });
        let by_name = match names.entry(fold(&item.name)) {
            // Two logins at one app often have the app's name; they are two.
            Entry::Occupied(twin) => {
                let (twin, other) = twin.get();
                let differ = matches!((&login, other), (Some(own), Some(other)) if own != other);
                (!differ).then_some(*twin)
            }
            Entry::Vacant(free) => {
                free.insert((Twin::Item(at), login));
                None
            }
        };
        let likest = by_login.map(|twin| (twin, Likeness::Login));
        if let Some((twin, likeness)) = likest.or_else(|| by_name.map(|twin| (twin, Likeness::Name))) {
            found.push(Duplicate { item: at, twin, likeness });
        }
    }
    found
}

/// The host of a URL, folded, without `www.`; of an address without a scheme too.
pub fn host(url: &str) -> Option<String> {
    let url = url.trim();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    let place = authority.rsplit('@').next()?;
    let host = match place.strip_prefix('[') {
        Some(v6) => v6.split(']').next()?,
        None => place.split(':').next()?,
    };
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty() && !host.contains(char::is_whitespace)).then(|| host.to_owned())
}

fn login(url: Option<&str>, username: Option<&str>) -> Option<(String, String)> {
    Some((host(url?)?, fold(username?)))
}

fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Place;

    fn item(name: &str, url: &str, username: &str) -> Item {
        let mut item = Item::new(Place::line(1));
        item.name = name.to_owned();
        item.push_url(url);
        item.username = crate::item::filled(username);
        item
    }

    #[test]
    fn a_host_is_found_in_whatever_people_have_as_a_url() {
        for (url, expected) in [
            ("https://www.Example.com/login?next=/", Some("example.com")),
            ("example.com", Some("example.com")),
            ("http://user:pw@example.com:8080/", Some("example.com")),
            ("https://[::1]:443/", Some("::1")),
            ("androidapp://com.example.app", Some("com.example.app")),
            ("example.com.", Some("example.com")),
            ("", None),
            ("https://", None),
            ("a sentence, not a URL", None),
        ] {
            assert_eq!(host(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn the_same_login_is_told_before_the_same_name() {
        let known = [
            Known { name: "Mail", url: Some("https://mail.example/"), username: Some("Ana") },
            Known { name: "Shop", url: None, username: None },
        ];
        let items = [
            item("Post", "mail.example", "ana"),
            item("shop", "https://shop.example", "kim"),
            item("New", "https://new.example", "kim"),
            item("Newer", "https://www.new.example/a", "KIM"),
            item("Mail", "https://mail.example", "bo"),
        ];
        let expected = [
            Duplicate { item: 0, twin: Twin::Known(0), likeness: Likeness::Login },
            Duplicate { item: 1, twin: Twin::Known(1), likeness: Likeness::Name },
            Duplicate { item: 3, twin: Twin::Item(2), likeness: Likeness::Login },
        ];
        assert_eq!(duplicates(&items, &known), expected);
    }
}
