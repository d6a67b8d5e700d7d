//! The columns of a people file, each with the other names that exports give it.

/// A column, or in JSON a field. Header names are compared without case, blanks, `_`, `-` and `.`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Column {
    UserName,
    GivenName,
    FamilyName,
    DisplayName,
    Email,
    Active,
    JobTitle,
    Department,
    Manager,
    EmployeeNumber,
    ExternalId,
    PreferredLanguage,
    City,
    Country,
    Groups,
}

/// Each column with its documented name first, then the names that Entra's and Okta's exports use.
const NAMES: &[(Column, &[&str])] = &[
    (Column::UserName, &["user_name", "userPrincipalName", "login", "upn"]),
    (Column::GivenName, &["given_name", "firstName"]),
    (Column::FamilyName, &["family_name", "surname", "lastName"]),
    (Column::DisplayName, &["display_name"]),
    (Column::Email, &["email", "mail", "work_email"]),
    (Column::Active, &["active", "accountEnabled", "enabled"]),
    (Column::JobTitle, &["job_title", "title"]),
    (Column::Department, &["department"]),
    (Column::Manager, &["manager", "managerUserPrincipalName"]),
    (Column::EmployeeNumber, &["employee_number", "employeeId"]),
    (Column::ExternalId, &["external_id", "objectId", "id"]),
    (Column::PreferredLanguage, &["preferred_language"]),
    (Column::City, &["city"]),
    (Column::Country, &["country", "countryCode"]),
    (Column::Groups, &["groups", "teams"]),
];

impl Column {
    /// The column that a header names.
    pub(super) fn named(header: &str) -> Option<Self> {
        let wanted = plain(header);
        NAMES
            .iter()
            .find(|(_, names)| names.iter().any(|name| plain(name) == wanted))
            .map(|(column, _)| *column)
    }

    /// Every column, in the order of the documentation.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|(column, _)| *column)
    }

    /// Its documented name.
    pub(super) fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(column, _)| *column == self)
            .map_or("", |(_, names)| names.first().copied().unwrap_or(""))
    }
}

fn plain(header: &str) -> String {
    header
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_without_case_and_by_the_names_of_exports() {
        for header in ["user_name", "userName", " User Name ", "USER-NAME", "userPrincipalName"] {
            assert_eq!(Column::named(header), Some(Column::UserName), "{header}");
        }
        assert_eq!(Column::named("shoe size"), None);
        assert_eq!(Column::named(""), None);
    }

    #[test]
    fn no_name_stands_for_two_columns() {
        let all: Vec<String> = NAMES.iter().flat_map(|(_, names)| names.iter().map(|n| plain(n))).collect();
        let mut once = all.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), all.len());
        assert_eq!(Column::Groups.name(), "groups");
    }
}
