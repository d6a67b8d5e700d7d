//! Recipes for this service, as an admin would write them. Their host stands for wherever the
//! service listens.

/// Changes by the JSON API, as the account itself.
pub const API: &str = include_str!("../recipes/api.toml");
/// The same for users who log in with a one-time code.
pub const API_TOTP: &str = include_str!("../recipes/api-totp.toml");
/// Changes by the admin's API, with [`crate::Service::admin_token`].
pub const ADMIN: &str = include_str!("../recipes/admin.toml");
/// Changes by the pages' forms, without a browser.
pub const FORMS: &str = include_str!("../recipes/forms.toml");
/// Changes on the pages, in a browser.
pub const BROWSER: &str = include_str!("../recipes/browser.toml");
/// The same with one-time codes.
pub const BROWSER_TOTP: &str = include_str!("../recipes/browser-totp.toml");
