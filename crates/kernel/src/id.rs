//! Typed ids, one kind per thing, all UUID version 7 so that keys grow with time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Entropy, Timestamp};

/// The text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("that is not an id")]
pub struct IdError;

/// A fresh UUID version 7: 48 bits of milliseconds, then 74 random bits.
fn fresh(now: Timestamp, entropy: &dyn Entropy) -> Uuid {
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    let mut random = [0; 10];
    entropy.fill_public(&mut random);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id.
            pub fn fresh(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(fresh(now, entropy))
            }

            /// The id that a database row holds.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The value that a database row holds.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        /// The sixteen bytes, as keys are bound to them.
        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        /// The hyphenated lower-case form.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        /// Only the hyphenated lower-case form is an id: an id has one spelling, so that
        /// two spellings can never name one thing in one place and not in another.
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let uuid = Uuid::try_parse(text).map_err(|_| IdError)?;
                let mut buffer = Uuid::encode_buffer();
                if *uuid.hyphenated().encode_lower(&mut buffer) == *text { Ok(Self(uuid)) } else { Err(IdError) }
            }
        }
    )*};
}

ids! {
    /// A workspace: the tenant.
    WorkspaceId,
    /// A member: a person in a workspace; a SCIM User's `id`.
    MemberId,
    /// A team; a SCIM Group's `id`.
    TeamId,
    /// A shared account.
    AccountId,
    /// A collection of accounts.
    CollectionId,
    /// A grant.
    GrantId,
    /// A token: a directory's, or a member's for the API.
    TokenId,
    /// An offboarding case.
    CaseId,
    /// An audit record.
    AuditId,
    /// A secret of an account: its password, a TOTP seed, a key, a note.
    SecretId,
    /// An entry of the exposure ledger.
    ExposureId,
    /// A rotation of an account's secret.
    RotationId,
    /// A connector: how secrets are changed at one target.
    ConnectorId,
    /// A task for a person.
    TaskId,
    /// Something that has to learn a new password.
    DependentId,
    /// An outbox event.
    OutboxId,
    /// One request, through all that follows from it.
    RequestId,
    /// One entry of the flight recorder.
    FlightId,
    /// A provisioning job.
    JobId,
    /// A person or a group of a workspace's own directory.
    ObjectId,
    /// What a person told a provisioning job.
    OrderId,
    /// One cycle of a provisioning job.
    CycleId,
    /// One entry of a provisioning log.
    LogId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn ids_grow_with_time_and_have_one_spelling() {
        let entropy = SeededEntropy::new(1);
        let early = MemberId::fresh(Timestamp::from_micros(1_000_000), &entropy);
        let late = MemberId::fresh(Timestamp::from_micros(2_000_000), &entropy);
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
        for other in
            [early.to_string().to_uppercase(), early.as_uuid().simple().to_string(), format!("{{{early}}}")]
        {
            assert_eq!(other.parse::<MemberId>(), Err(IdError), "{other}");
        }
    }
}
