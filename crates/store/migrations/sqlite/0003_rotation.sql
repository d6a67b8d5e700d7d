-- Rotations: connectors, what holds for an account, jobs with their history, tasks of people, and what
-- else has to learn a new password.

create table connector (
  workspace_id blob not null,
  id blob not null,
  name text not null,
  kind text not null,
  host text not null,
  config text not null,
  limits text not null,
  sealed_admin blob,
  admin_key integer,
  at_once integer not null,
  paused text,
  version integer not null,
  created_at integer not null,
  modified_at integer not null,
  primary key (workspace_id, id)
) strict;
create unique index connector_name on connector (workspace_id, name);
-- A key is not retired while a credential is sealed under it.
create index connector_key on connector (workspace_id, admin_key) where admin_key is not null;

create table account_rotation (
  workspace_id blob not null,
  account_id blob not null,
  connector_id blob,
  mode text not null,
  login text,
  schedule text not null,
  rotates_at integer,
  verifies_at integer,
  version integer not null,
  primary key (workspace_id, account_id),
  constraint account_rotation_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade,
  constraint account_rotation_connector foreign key (workspace_id, connector_id) references connector (workspace_id, id)
) strict;
create index account_rotation_of_connector on account_rotation (workspace_id, connector_id) where connector_id is not null;
create index account_rotation_rotates on account_rotation (rotates_at) where rotates_at is not null;
create index account_rotation_verifies on account_rotation (verifies_at) where verifies_at is not null;

-- Refers to no account, case or connector: the history outlives them.
create table rotation_job (
  workspace_id blob not null,
  id blob not null,
  account_id blob not null,
  connector_id blob,
  case_id blob,
  reason text not null,
  cause text not null,
  priority integer not null,
  state text not null,
  is_over integer not null,
  run_after integer,
  body text not null,
  version integer not null,
  planned_at integer not null,
  ended_at integer,
  leased_until integer,
  leased_by text,
  primary key (workspace_id, id)
) strict;
create unique index rotation_job_cause on rotation_job (workspace_id, cause);
-- One at a time.
create unique index rotation_job_account on rotation_job (workspace_id, account_id) where not is_over;
create index rotation_job_of_account on rotation_job (workspace_id, account_id, id);
create index rotation_job_of_case on rotation_job (workspace_id, case_id, id) where case_id is not null;
create index rotation_job_listed on rotation_job (workspace_id, is_over, id);
-- Of all workspaces, for the workers of every node; only what is under way.
create index rotation_job_due on rotation_job (run_after) where run_after is not null;
create index rotation_job_waiting on rotation_job (workspace_id, connector_id, run_after)
  where connector_id is not null and run_after is not null;
create index rotation_job_leased on rotation_job (workspace_id, connector_id, leased_until)
  where connector_id is not null and leased_until is not null;
create index outbox_rotations on outbox (due_at) where kind = 'rotation' and state = 'ready';

create table rotation_step (
  workspace_id blob not null,
  rotation_id blob not null,
  number integer not null,
  at integer not null,
  act text not null,
  outcome text not null,
  state text not null,
  micros integer not null,
  primary key (workspace_id, rotation_id, number),
  constraint rotation_step_job foreign key (workspace_id, rotation_id) references rotation_job (workspace_id, id) on delete cascade
) strict, without rowid;

create table rotation_picture (
  workspace_id blob not null,
  rotation_id blob not null,
  number integer not null,
  at integer not null,
  media_type text not null,
  key_number integer not null,
  sealed blob not null,
  primary key (workspace_id, rotation_id, number),
  constraint rotation_picture_job foreign key (workspace_id, rotation_id) references rotation_job (workspace_id, id) on delete cascade
) strict;
-- A key is not retired while a picture is sealed under it.
create index rotation_picture_key on rotation_picture (workspace_id, key_number, rotation_id, number);

create table manual_task (
  workspace_id blob not null,
  id blob not null,
  account_id blob not null,
  rotation_id blob not null,
  kind text not null,
  state text not null,
  checklist text not null,
  assignee_id blob,
  evidence text not null,
  reminded integer not null,
  opened_at integer not null,
  due_at integer not null,
  closed_at integer,
  version integer not null,
  primary key (workspace_id, id),
  constraint manual_task_job foreign key (workspace_id, rotation_id) references rotation_job (workspace_id, id) on delete cascade
) strict;
create unique index manual_task_open on manual_task (workspace_id, rotation_id)
  where state = 'open' and kind <> 'update_dependent';
create index manual_task_of_rotation on manual_task (workspace_id, rotation_id, id);
create index manual_task_listed on manual_task (workspace_id, state, id);
-- Of all workspaces, for reminders.
create index manual_task_due on manual_task (due_at) where state = 'open';

create table dependent (
  workspace_id blob not null,
  id blob not null,
  account_id blob not null,
  name text not null,
  instructions text not null,
  other_account_id blob,
  primary key (workspace_id, id),
  constraint dependent_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade,
  constraint dependent_other foreign key (workspace_id, other_account_id) references account (workspace_id, id) on delete cascade
) strict;
create index dependent_of_account on dependent (workspace_id, account_id, id);
create index dependent_of_other on dependent (workspace_id, other_account_id) where other_account_id is not null;
