-- Provisioning jobs: what each remembers of the objects of its source, and its log.

create table provisioning_job (
  workspace_id blob not null,
  id blob not null,
  name text not null,
  definition text not null,
  state text not null,
  runs_at integer,
  fence integer not null,
  holder text,
  leased_until integer,
  created_at integer not null,
  -- Mappings as an Entra ID schema has them, in the place of the definition's.
  graph_schema text,
  -- Up to which number of the workspace's own directory leavers were looked for; none for others' sources.
  feed_seen integer,
  primary key (workspace_id, id)
) strict;
create unique index provisioning_job_name on provisioning_job (workspace_id, name);
-- Of all workspaces, for whoever performs them.
create index provisioning_job_due on provisioning_job (runs_at) where runs_at is not null;
create index provisioning_job_fed on provisioning_job (workspace_id, id) where feed_seen is not null;

create table provisioning_object (
  workspace_id blob not null,
  job_id blob not null,
  key blob not null,
  kind text not null,
  source_id text not null,
  label text not null,
  digest blob,
  members blob,
  target_id text,
  managed integer not null,
  fingerprint blob,
  is_out integer not null,
  manager blob,
  manager_sent blob,
  manager_due integer,
  trouble text,
  retry_at integer,
  held integer not null,
  primary key (workspace_id, job_id, key),
  constraint provisioning_object_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
) strict, without rowid;
create index provisioning_object_retry on provisioning_object (workspace_id, job_id, key)
  where retry_at is not null or held;
create index provisioning_object_due on provisioning_object (workspace_id, job_id, key) where manager_due is not null;
create index provisioning_object_target on provisioning_object (workspace_id, job_id, target_id) where target_id is not null;
create index provisioning_object_of_manager on provisioning_object (workspace_id, job_id, manager) where manager is not null;
create index provisioning_object_sent_manager on provisioning_object (workspace_id, job_id, manager_sent) where manager_sent is not null;

create table provisioning_member (
  workspace_id blob not null,
  job_id blob not null,
  group_key blob not null,
  member_key blob not null,
  told integer not null,
  wanted integer not null,
  sent integer not null,
  due_at integer,
  primary key (workspace_id, job_id, group_key, member_key),
  constraint provisioning_member_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
) strict, without rowid;
create index provisioning_member_in on provisioning_member (workspace_id, job_id, member_key, group_key);
create index provisioning_member_due on provisioning_member (workspace_id, job_id, group_key, member_key) where due_at is not null;

create table provisioning_log (
  workspace_id blob not null,
  job_id blob not null,
  id blob not null,
  cycle_id blob not null,
  at integer not null,
  key blob not null,
  kind text not null,
  action text not null,
  status text not null,
  code text,
  label text not null,
  source_id text not null,
  target_id text,
  message text not null,
  millis integer not null,
  detail text not null,
  primary key (workspace_id, job_id, id),
  constraint provisioning_log_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
) strict;
create index provisioning_log_of_object on provisioning_log (workspace_id, job_id, key, id);
create index provisioning_log_of_cycle on provisioning_log (workspace_id, job_id, cycle_id, id);

create table provisioning_cycle (
  workspace_id blob not null,
  job_id blob not null,
  id blob not null,
  body text not null,
  primary key (workspace_id, job_id, id),
  constraint provisioning_cycle_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
) strict;

-- Latchkey's own directory. Each change of a workspace's has a number; rows carry that of their last
-- one, so that what changed since a number is a range of an index.

create table embedded_feed (
  workspace_id blob not null primary key,
  seq integer not null
) strict;

create table embedded_object (
  workspace_id blob not null,
  id blob not null,
  kind text not null,
  name text not null,
  name_key text not null,
  external_id text,
  enabled integer not null,
  presence text not null,
  attributes text not null,
  manager_id blob,
  -- The number of its last change, and of the last after which a group's members are told anew.
  changed integer not null,
  whole_from integer not null,
  created_at integer not null,
  modified_at integer not null,
  primary key (workspace_id, id)
) strict;
create unique index embedded_object_name on embedded_object (workspace_id, kind, name_key) where presence = 'present';
create unique index embedded_object_external on embedded_object (workspace_id, kind, external_id)
  where external_id is not null and presence <> 'deleted';
create index embedded_object_changed on embedded_object (workspace_id, changed, id);
create index embedded_object_page on embedded_object (workspace_id, kind, id) where presence <> 'deleted';
create index embedded_object_reports on embedded_object (workspace_id, manager_id) where manager_id is not null;

create table embedded_member (
  workspace_id blob not null,
  group_id blob not null,
  member_id blob not null,
  present integer not null,
  changed integer not null,
  primary key (workspace_id, group_id, member_id),
  constraint embedded_member_group foreign key (workspace_id, group_id) references embedded_object (workspace_id, id),
  constraint embedded_member_member foreign key (workspace_id, member_id) references embedded_object (workspace_id, id)
) strict, without rowid;
create index embedded_member_changed on embedded_member (workspace_id, changed, group_id, member_id);
create index embedded_member_of on embedded_member (workspace_id, member_id, group_id) where present;

create table embedded_assignment (
  workspace_id blob not null,
  principal_id blob not null,
  application text not null,
  role text not null,
  display text not null,
  entitles integer not null,
  primary key (workspace_id, principal_id, application, role),
  constraint embedded_assignment_principal foreign key (workspace_id, principal_id) references embedded_object (workspace_id, id)
) strict, without rowid;

-- What people told jobs of a workspace, until whoever performs the job has done it.
create table provisioning_order (
  workspace_id blob not null,
  job_id blob not null,
  id blob not null,
  body text not null,
  primary key (workspace_id, job_id, id),
  constraint provisioning_order_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
) strict;

create table provisioning_secret (
  workspace_id blob not null,
  job_id blob not null,
  name text not null,
  sealed blob not null,
  key_number integer not null,
  changed_at integer not null,
  primary key (workspace_id, job_id, name),
  constraint provisioning_secret_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
) strict;
create index provisioning_secret_key on provisioning_secret (workspace_id, key_number);
