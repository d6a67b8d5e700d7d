-- Provisioning jobs: what each remembers of the objects of its source, and its log.

create table provisioning_job (
  workspace_id uuid not null,
  id uuid not null,
  name text collate "C" not null,
  definition text collate "C" not null,
  state text collate "C" not null,
  runs_at bigint,
  fence bigint not null,
  holder text collate "C",
  leased_until bigint,
  created_at bigint not null,
  -- Mappings as an Entra ID schema has them, in the place of the definition's.
  graph_schema text collate "C",
  -- Up to which number of the workspace's own directory leavers were looked for; none for others' sources.
  feed_seen bigint,
  primary key (workspace_id, id)
);
create unique index provisioning_job_name on provisioning_job (workspace_id, name);
-- Of all workspaces, for whoever performs them.
create index provisioning_job_due on provisioning_job (runs_at) where runs_at is not null;
create index provisioning_job_fed on provisioning_job (workspace_id, id) where feed_seen is not null;

create table provisioning_object (
  workspace_id uuid not null,
  job_id uuid not null,
  key uuid not null,
  kind text collate "C" not null,
  source_id text collate "C" not null,
  label text collate "C" not null,
  digest bytea,
  members bytea,
  target_id text collate "C",
  managed boolean not null,
  fingerprint bytea,
  is_out boolean not null,
  manager uuid,
  manager_sent uuid,
  manager_due bigint,
  trouble text collate "C",
  retry_at bigint,
  held boolean not null,
  primary key (workspace_id, job_id, key),
  constraint provisioning_object_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
);
create index provisioning_object_retry on provisioning_object (workspace_id, job_id, key)
  where retry_at is not null or held;
create index provisioning_object_due on provisioning_object (workspace_id, job_id, key) where manager_due is not null;
create index provisioning_object_target on provisioning_object (workspace_id, job_id, target_id) where target_id is not null;
create index provisioning_object_of_manager on provisioning_object (workspace_id, job_id, manager) where manager is not null;
create index provisioning_object_sent_manager on provisioning_object (workspace_id, job_id, manager_sent) where manager_sent is not null;

create table provisioning_member (
  workspace_id uuid not null,
  job_id uuid not null,
  group_key uuid not null,
  member_key uuid not null,
  told boolean not null,
  wanted boolean not null,
  sent boolean not null,
  due_at bigint,
  primary key (workspace_id, job_id, group_key, member_key),
  constraint provisioning_member_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
);
create index provisioning_member_in on provisioning_member (workspace_id, job_id, member_key, group_key);
create index provisioning_member_due on provisioning_member (workspace_id, job_id, group_key, member_key) where due_at is not null;

create table provisioning_log (
  workspace_id uuid not null,
  job_id uuid not null,
  id uuid not null,
  cycle_id uuid not null,
  at bigint not null,
  key uuid not null,
  kind text collate "C" not null,
  action text collate "C" not null,
  status text collate "C" not null,
  code text collate "C",
  label text collate "C" not null,
  source_id text collate "C" not null,
  target_id text collate "C",
  message text collate "C" not null,
  millis bigint not null,
  detail text collate "C" not null,
  primary key (workspace_id, job_id, id),
  constraint provisioning_log_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
);
create index provisioning_log_of_object on provisioning_log (workspace_id, job_id, key, id);
create index provisioning_log_of_cycle on provisioning_log (workspace_id, job_id, cycle_id, id);

create table provisioning_cycle (
  workspace_id uuid not null,
  job_id uuid not null,
  id uuid not null,
  body text collate "C" not null,
  primary key (workspace_id, job_id, id),
  constraint provisioning_cycle_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
);

-- Latchkey's own directory. Each change of a workspace's has a number; rows carry that of their last
-- one, so that what changed since a number is a range of an index.

create table embedded_feed (
  workspace_id uuid not null primary key,
  seq bigint not null
);

create table embedded_object (
  workspace_id uuid not null,
  id uuid not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  name_key text collate "C" not null,
  external_id text collate "C",
  enabled boolean not null,
  presence text collate "C" not null,
  attributes text collate "C" not null,
  manager_id uuid,
  -- The number of its last change, and of the last after which a group's members are told anew.
  changed bigint not null,
  whole_from bigint not null,
  created_at bigint not null,
  modified_at bigint not null,
  primary key (workspace_id, id)
);
create unique index embedded_object_name on embedded_object (workspace_id, kind, name_key) where presence = 'present';
create unique index embedded_object_external on embedded_object (workspace_id, kind, external_id)
  where external_id is not null and presence <> 'deleted';
create index embedded_object_changed on embedded_object (workspace_id, changed, id);
create index embedded_object_page on embedded_object (workspace_id, kind, id) where presence <> 'deleted';
create index embedded_object_reports on embedded_object (workspace_id, manager_id) where manager_id is not null;

create table embedded_member (
  workspace_id uuid not null,
  group_id uuid not null,
  member_id uuid not null,
  present boolean not null,
  changed bigint not null,
  primary key (workspace_id, group_id, member_id),
  constraint embedded_member_group foreign key (workspace_id, group_id) references embedded_object (workspace_id, id),
  constraint embedded_member_member foreign key (workspace_id, member_id) references embedded_object (workspace_id, id)
);
create index embedded_member_changed on embedded_member (workspace_id, changed, group_id, member_id);
create index embedded_member_of on embedded_member (workspace_id, member_id, group_id) where present;

create table embedded_assignment (
  workspace_id uuid not null,
  principal_id uuid not null,
  application text collate "C" not null,
  role text collate "C" not null,
  display text collate "C" not null,
  entitles boolean not null,
  primary key (workspace_id, principal_id, application, role),
  constraint embedded_assignment_principal foreign key (workspace_id, principal_id) references embedded_object (workspace_id, id)
);

-- What people told jobs of a workspace, until whoever performs the job has done it.
create table provisioning_order (
  workspace_id uuid not null,
  job_id uuid not null,
  id uuid not null,
  body text collate "C" not null,
  primary key (workspace_id, job_id, id),
  constraint provisioning_order_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
);

create table provisioning_secret (
  workspace_id uuid not null,
  job_id uuid not null,
  name text collate "C" not null,
  sealed bytea not null,
  key_number bigint not null,
  changed_at bigint not null,
  primary key (workspace_id, job_id, name),
  constraint provisioning_secret_job foreign key (workspace_id, job_id) references provisioning_job (workspace_id, id) on delete cascade
);
create index provisioning_secret_key on provisioning_secret (workspace_id, key_number);
