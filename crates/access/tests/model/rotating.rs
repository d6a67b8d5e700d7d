//! What each change of rotations does.

use latchkey_access::RotationChange;
use latchkey_access::outbox::EffectState;
use latchkey_access::rotation::RotationRow;

use super::commit::{Done, exists, moved, unless};
use super::{Conflict, Tables};

impl Tables {
    pub(super) fn apply_to_rotations(&mut self, change: &RotationChange) -> Done {
        match change {
            RotationChange::ConnectorInsert(row) => {
                row.admin_key.map_or(Ok(()), |number| self.key_seals(number))?;
                unless(self.connectors.values().any(|other| other.name == row.name), "name")?;
                self.connectors.insert(row.id, row.clone());
            }
            RotationChange::ConnectorUpdate { connector, expect } => {
                connector.admin_key.map_or(Ok(()), |number| self.key_seals(number))?;
                let row = self.connectors.get(&connector.id);
                moved(row.is_some_and(|row| row.version == *expect), "connector")?;
                let mut others = self.connectors.values().filter(|other| other.id != connector.id);
                unless(others.any(|other| other.name == connector.name), "name")?;
                self.connectors.insert(connector.id, connector.clone());
            }
            RotationChange::ConnectorDelete { connector_id, expect } => {
                let row = self.connectors.get(connector_id);
                moved(row.is_some_and(|row| row.version == *expect), "connector")?;
                if self.settings.values().any(|row| row.connector_id == Some(*connector_id)) {
                    return Err(Conflict::InUse);
                }
                self.connectors.remove(connector_id);
            }
            RotationChange::ConnectorPause { connector_id, reason, at } => {
                let row = self.connectors.get_mut(connector_id).filter(|row| row.paused.is_none());
                if let Some(row) = row {
                    row.paused = Some(reason.clone());
                    row.version = row.version.next();
                    row.modified_at = *at;
                }
            }
            RotationChange::SettingSet { rotation, expect } => {
                let row = self.settings.get(&rotation.account_id);
                moved(row.map(|row| row.version) == *expect, "account's rotation")?;
                exists(self.accounts.contains_key(&rotation.account_id), "account")?;
                let connector = rotation.connector_id.is_none_or(|id| self.connectors.contains_key(&id));
                exists(connector, "connector")?;
                self.settings.insert(rotation.account_id, rotation.clone());
            }
            RotationChange::SettingDue { account_id, rotates_at, verifies_at } => {
                if let Some(row) = self.settings.get_mut(account_id) {
                    row.rotates_at = *rotates_at;
                    row.verifies_at = *verifies_at;
                }
            }
            RotationChange::JobInsert(row) => {
                self.is_the_only_one(row)?;
                self.rotations.insert(row.id, row.clone());
            }
            RotationChange::JobUpdate { rotation, expect, .. } => {
                let row = self.rotations.get(&rotation.id);
                moved(row.is_some_and(|row| row.version == *expect), "rotation")?;
                self.is_the_only_one(rotation)?;
                self.rotations.insert(rotation.id, rotation.clone());
            }
            RotationChange::CauseDone { cause } => {
                let asked = self.outbox.values_mut().filter(|event| event.key == *cause);
                for event in asked.filter(|event| event.state == EffectState::Ready) {
                    event.state = EffectState::Done;
                }
            }
            RotationChange::JobsWake { connector_id, at } => {
                let own = self.rotations.values_mut().filter(|row| row.connector_id == Some(*connector_id));
                for row in own.filter(|row| row.run_after.is_some_and(|due| due > *at)) {
                    row.run_after = Some(*at);
                }
            }
            RotationChange::StepInsert(row) => {
                exists(self.rotations.contains_key(&row.rotation_id), "rotation")?;
                let key = (row.rotation_id, row.number);
                unless(self.steps.contains_key(&key), "id")?;
                self.steps.insert(key, row.clone());
            }
            _ => self.apply_to_tasks(change)?,
        }
        Ok(())
    }

    fn apply_to_tasks(&mut self, change: &RotationChange) -> Done {
        match change {
            RotationChange::TaskInsert(row) => {
                exists(self.rotations.contains_key(&row.rotation_id), "rotation")?;
                let open = |other: &latchkey_access::rotation::ManualTask| {
                    other.rotation_id == row.rotation_id && other.waits_for_its_rotation()
                };
                unless(row.waits_for_its_rotation() && self.tasks.values().any(open), "task")?;
                self.tasks.insert(row.id, row.clone());
            }
            RotationChange::TaskUpdate { task, expect } => {
                moved(self.tasks.get(&task.id).is_some_and(|row| row.version == *expect), "task")?;
                self.tasks.insert(task.id, task.clone());
            }
            RotationChange::TaskCloseOf { rotation_id, state, at } => {
                let open = self
                    .tasks
                    .values_mut()
                    .filter(|row| row.rotation_id == *rotation_id && row.waits_for_its_rotation());
                for row in open {
                    row.state = *state;
                    row.closed_at = Some(*at);
                    row.version = row.version.next();
                }
            }
            RotationChange::DependentInsert(row) => {
                exists(self.accounts.contains_key(&row.account_id), "account")?;
                exists(row.other_account_id.is_none_or(|id| self.accounts.contains_key(&id)), "account")?;
                self.dependents.insert(row.id, row.clone());
            }
            RotationChange::DependentDelete { dependent_id } => {
                self.dependents.remove(dependent_id).ok_or(Conflict::Missing("dependent"))?;
            }
            other => unreachable!("{other:?} is applied above"),
        }
        Ok(())
    }

    /// One for each cause, and one under way for each account.
    fn is_the_only_one(&self, row: &RotationRow) -> Done {
        let others = || self.rotations.values().filter(|other| other.id != row.id);
        unless(others().any(|other| other.cause == row.cause), "cause")?;
        let same = |other: &RotationRow| other.account_id == row.account_id && !other.over;
        unless(!row.over && others().any(same), "account")
    }
}
