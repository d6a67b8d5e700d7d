//! What each provider is known not to do. Everything else is expected of all of them.

/// A provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Latchkey,
    Scim2Server,
    DjangoScim2Server,
    ScimmyRouters,
    BetterAuthScim,
}

/// Something that one may have reason to expect of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// People's `displayName` is kept.
    DisplayName,
    /// `title` is kept.
    Title,
    /// The enterprise extension's `department` is kept.
    Department,
    /// The enterprise extension's `manager` is kept.
    Manager,
    /// An address of mail is taken away when it is told to be.
    NoMail,
    /// Taking the last address of mail away is not refused.
    LastMail,
    /// Somebody who is deleted is gone, and not only disabled.
    Deletion,
}

/// Who lacks what, and why.
type Limit = (Which, Feature, &'static str);

const LIMITS: &[Limit] = &[
    (
        Which::DjangoScim2Server,
        Feature::DisplayName,
        "it keeps what django.contrib.auth has of a person: login, first and last name, one mail, active",
    ),
    (Which::DjangoScim2Server, Feature::Title, "as displayName: Django's user has no such field"),
    (
        Which::DjangoScim2Server,
        Feature::Department,
        "it knows no enterprise extension, and refuses whoever is created with one",
    ),
    (Which::DjangoScim2Server, Feature::Manager, "as department: it is of the enterprise extension"),
    (
        Which::DjangoScim2Server,
        Feature::NoMail,
        "it shows addresses without their type, and a remove of emails[type eq \"work\"].value does nothing",
    ),
    (
        Which::DjangoScim2Server,
        Feature::Deletion,
        "its DELETE of a person sets active to false, and the person is listed as before",
    ),
    (
        Which::BetterAuthScim,
        Feature::LastMail,
        "every person needs between 1 and 20 addresses; to take the last away is refused with 400",
    ),
];

/// Whether a provider is known not to do this.
pub(crate) fn lacks(which: Which, feature: Feature) -> bool {
    LIMITS.iter().any(|(who, what, _)| (*who, *what) == (which, feature))
}
