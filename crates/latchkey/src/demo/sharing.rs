//! What the demo shares with whom: a dozen logins in collections, grants to teams and people of
//! whatever company it was given, and one person whose leaving is worth watching.

use super::people::Company;

/// A collection: its name and the one that it lies in.
pub(super) const COLLECTIONS: &[(&str, Option<&str>)] =
    &[("Social media", None), ("Campaigns", Some("Social media")), ("Back office", None)];

/// A login that people share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Login {
    pub(super) name: &'static str,
    pub(super) app: &'static str,
    pub(super) url: &'static str,
    /// The part of the user name before the company's domain.
    pub(super) mailbox: &'static str,
    /// `standard`, `privileged` or `critical`.
    pub(super) sensitivity: &'static str,
    pub(super) collection: Option<&'static str>,
}

macro_rules! logins {
    ($($name:literal, $app:literal, $url:literal, $mailbox:literal, $sensitivity:literal, $collection:expr;)*) => {
        /// The logins: social media, campaign tools, and what opens a company's doors.
        pub(super) const LOGINS: &[Login] = &[$(Login {
            name: $name, app: $app, url: $url, mailbox: $mailbox,
            sensitivity: $sensitivity, collection: $collection,
        }),*];
    };
}

logins! {
    "Instagram", "Instagram", "https://www.instagram.com/", "social", "privileged", Some("Social media");
    "LinkedIn page", "LinkedIn", "https://www.linkedin.com/", "social", "standard", Some("Social media");
    "TikTok", "TikTok", "https://www.tiktok.com/", "social", "standard", Some("Social media");
    "Ad account", "Meta Ads", "https://adsmanager.facebook.com/", "ads", "privileged", Some("Campaigns");
    "Newsletter", "Mailchimp", "https://login.mailchimp.com/", "news", "standard", Some("Campaigns");
    "Photo library", "Shutterstock", "https://www.shutterstock.com/", "photos", "standard", Some("Campaigns");
    "Domain registrar", "Gandi", "https://admin.gandi.net/", "domains", "critical", Some("Back office");
    "Web shop admin", "Shopify", "https://admin.shopify.com/", "shop", "privileged", Some("Back office");
    "Parcel portal", "DHL", "https://www.dhl.com/", "parcels", "standard", Some("Back office");
    "Bank portal", "Bank", "https://bank.example/", "treasury", "critical", None;
    "Press wire", "Press wire", "https://presswire.example/", "press", "standard", None;
    "Guest Wi-Fi console", "UniFi", "https://unifi.ui.com/", "wifi", "standard", None;
}

/// Who receives: an index of a person or of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Person(usize),
    Team(usize),
}

/// What is given, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Login(&'static str),
    Collection(&'static str),
}

/// A grant to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Give {
    pub(super) to: To,
    pub(super) on: On,
    pub(super) permission: &'static str,
    pub(super) reason: &'static str,
    /// Ends a month from now.
    pub(super) for_a_month: bool,
}

/// All that is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Who will leave.
    pub(super) leaver: usize,
    /// Their manager, or somebody else who stays; nobody in a company of one.
    pub(super) stays: Option<usize>,
    /// The leaver's teams, the smallest first.
    pub(super) teams: Vec<usize>,
    pub(super) gives: Vec<Give>,
    /// Who knows which password, whatever they may use.
    pub(super) knows: Vec<(usize, &'static str)>,
    /// A login that the leaver answers for.
    pub(super) owned: &'static str,
}

/// Picks the leaver and plans the sharing. `None` when nobody of the company is active.
///
/// The leaver is whoever is in the most teams, for that is the richest access; among equals the
/// first of the file.
pub(super) fn plan(company: &Company) -> Option<Plan> {
    let teams_of = |person: usize| -> Vec<usize> {
        let mut teams: Vec<usize> = (0..company.groups.len())
            .filter(|team| company.groups[*team].members.contains(&person))
            .collect();
        teams.sort_by_key(|team| company.groups[*team].members.len());
        teams
    };
    let mut counts = vec![0_usize; company.people.len()];
    for member in company.groups.iter().flat_map(|group| &group.members) {
        counts[*member] += 1;
    }
    let active = || (0..company.people.len()).filter(|at| company.people[*at].active);
    let leaver = active().max_by_key(|at| (counts[*at], std::cmp::Reverse(*at)))?;
    let manager = company.people[leaver].manager.filter(|manager| company.people[*manager].active);
    let stays = manager.or_else(|| active().find(|at| *at != leaver));
    let teams = teams_of(leaver);
    let other_team = (0..company.groups.len())
        .filter(|team| !teams.contains(team))
        .max_by_key(|team| company.groups[*team].members.len());

    let mut gives = Vec::new();
    let mut give = |to, on, permission, reason, for_a_month| {
        gives.push(Give { to, on, permission, reason, for_a_month });
    };
    let ways = [
        (On::Collection("Social media"), "view", "runs our channels"),
        (On::Collection("Campaigns"), "use", "works on campaigns"),
        (On::Login("Web shop admin"), "use", "keeps the shop stocked"),
        (On::Login("Parcel portal"), "use", "traces parcels"),
    ];
    for (team, (on, permission, reason)) in teams.iter().zip(ways) {
        give(To::Team(*team), on, permission, reason, false);
    }
    if let Some(team) = other_team {
        give(To::Team(team), On::Login("Guest Wi-Fi console"), "use", "prints vouchers for guests", false);
    }
    give(To::Person(leaver), On::Login("Domain registrar"), "manage", "campaign domains", false);
    give(To::Person(leaver), On::Login("Bank portal"), "view", "festival budget", true);
    let mut knows = vec![(leaver, "Instagram"), (leaver, "Newsletter"), (leaver, "Guest Wi-Fi console")];
    if let Some(stays) = stays {
        give(To::Person(stays), On::Collection("Back office"), "manage", "runs the back office", false);
        give(To::Person(stays), On::Login("Bank portal"), "own", "signs payments", false);
        knows.push((stays, "Bank portal"));
    }
    Some(Plan { leaver, stays, teams, gives, knows, owned: "Press wire" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(csv: &str) -> Company {
        Company::parse("p", csv.as_bytes()).unwrap()
    }

    #[test]
    fn the_sample_loses_its_head_of_social_who_is_in_four_teams() {
        let company = Company::sample().unwrap();
        let plan = plan(&company).unwrap();
        assert_eq!(company.people[plan.leaver].display_name, "Chiara Romano");
        assert_eq!(company.people[plan.stays.unwrap()].display_name, "Żaneta Jabłońska");
        let teams: Vec<&str> =
            plan.teams.iter().map(|team| company.groups[*team].display_name.as_str()).collect();
        assert_eq!(teams, ["Brand and social", "Marketing", "Web shop", "Customer support"]);
    }

    #[test]
    fn any_company_with_somebody_active_has_a_leaver_with_access() {
        let alone = company("user_name\nida\n");
        let plan_of_one = plan(&alone).unwrap();
        assert_eq!((plan_of_one.leaver, plan_of_one.stays), (0, None));
        assert!(plan_of_one.gives.iter().any(|give| give.to == To::Person(0)));
        let out = company("user_name,active,groups\nida,false,A;B\nbo,true,A\n");
        assert_eq!(plan(&out).unwrap().leaver, 1);
        let equals = company("user_name,groups\nida,\nbo,A\ncy,A\n");
        assert_eq!(plan(&equals).unwrap().leaver, 1, "among equals the first of the file");
        assert_eq!(plan(&company("user_name,active\nida,no\n")), None);
    }

    #[test]
    fn whatever_is_given_exists() {
        let plan = plan(&Company::sample().unwrap()).unwrap();
        let login = |name: &str| LOGINS.iter().any(|login| login.name == name);
        let collection = |name: &str| COLLECTIONS.iter().any(|(known, _)| *known == name);
        for give in &plan.gives {
            assert!(match give.on {
                On::Login(name) => login(name),
                On::Collection(name) => collection(name),
            });
        }
        assert!(plan.knows.iter().all(|(_, name)| login(name)) && login(plan.owned));
        assert!(LOGINS.iter().all(|login| login.collection.is_none_or(collection)));
        assert_eq!(LOGINS.len(), 12);
    }
}
