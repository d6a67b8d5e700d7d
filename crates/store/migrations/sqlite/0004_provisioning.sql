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
  primary key (workspace_id, id)
) strict;
create unique index provisioning_job_name on provisioning_job (workspace_id, name);
-- Of all workspaces, for whoever performs them.
create index provisioning_job_due on provisioning_job (runs_at) where runs_at is not null;

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
