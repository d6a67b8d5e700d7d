-- The first schema. The same tables, columns, keys and indexes as the other database's file of this
-- name; a test compares them. Every key starts with the workspace. Times are microseconds since 1970,
-- JSON is text, names are compared by their folded `_key`. Workspaces are never removed, so rows do
-- not refer to theirs: a check at each insert would buy nothing and make inserts meet on one row.

create table workspace (
  id blob not null primary key,
  name text not null,
  name_key text not null,
  state text not null,
  policy text not null,
  version integer not null,
  created_at integer not null
) strict;
create unique index workspace_name_key on workspace (name_key);

create table member (
  workspace_id blob not null,
  id blob not null,
  user_name text not null,
  user_name_key text not null,
  external_id text,
  display_name text not null,
  display_name_key text not null,
  work_email text,
  work_email_key text,
  role text not null,
  state text not null,
  origin text not null,
  access_epoch integer not null,
  reviewed_epoch integer not null,
  resource text not null,
  version integer not null,
  created_at integer not null,
  modified_at integer not null,
  left_at integer,
  primary key (workspace_id, id)
) strict;
-- Pages in id order, deep offsets and counts are read from this index alone.
create index member_live on member (workspace_id, id, state) where state <> 'deleted';
-- A tombstone frees its user name.
create unique index member_user_name_key on member (workspace_id, user_name_key) where state <> 'deleted';
-- Tombstones too: who comes back is recognised by the directory's key.
create index member_external_id on member (workspace_id, external_id) where external_id is not null;
create index member_work_email_key on member (workspace_id, work_email_key) where work_email_key is not null;
-- Who is in charge; few rows.
create index member_in_charge on member (workspace_id, role, created_at)
  where state = 'active' and role in ('owner', 'super_admin');
-- Whose return waits for a review; few rows.
create index member_returned on member (workspace_id, id) where state = 'active' and reviewed_epoch < access_epoch;

create table member_email (
  workspace_id blob not null,
  member_id blob not null,
  email_key text not null,
  primary key (workspace_id, member_id, email_key),
  constraint member_email_member foreign key (workspace_id, member_id) references member (workspace_id, id)
) strict, without rowid;
create index member_email_key on member_email (workspace_id, email_key);

create table team (
  workspace_id blob not null,
  id blob not null,
  display_name text not null,
  display_name_key text not null,
  external_id text,
  origin text not null,
  resource text not null,
  version integer not null,
  created_at integer not null,
  modified_at integer not null,
  primary key (workspace_id, id)
) strict;
create unique index team_display_name_key on team (workspace_id, display_name_key);
create index team_external_id on team (workspace_id, external_id) where external_id is not null;

create table membership (
  workspace_id blob not null,
  team_id blob not null,
  member_id blob not null,
  confirmed_epoch integer,
  primary key (workspace_id, team_id, member_id),
  constraint membership_team foreign key (workspace_id, team_id) references team (workspace_id, id) on delete cascade,
  constraint membership_member foreign key (workspace_id, member_id) references member (workspace_id, id)
) strict, without rowid;
create index membership_of_member on membership (workspace_id, member_id, team_id);

create table collection (
  workspace_id blob not null,
  id blob not null,
  name text not null,
  parent_id blob,
  version integer not null,
  created_at integer not null,
  primary key (workspace_id, id),
  constraint collection_parent foreign key (workspace_id, parent_id) references collection (workspace_id, id)
) strict;
create index collection_children on collection (workspace_id, parent_id) where parent_id is not null;

create table account (
  workspace_id blob not null,
  id blob not null,
  name text not null,
  app text not null,
  url text,
  username text,
  sensitivity text not null,
  offboarding_rotation text not null,
  collection_id blob,
  owner_id blob,
  owner_flag text,
  successor_id blob,
  secret_generation integer not null,
  version integer not null,
  created_at integer not null,
  modified_at integer not null,
  primary key (workspace_id, id),
  constraint account_collection foreign key (workspace_id, collection_id) references collection (workspace_id, id),
  constraint account_owner foreign key (workspace_id, owner_id) references member (workspace_id, id),
  constraint account_successor foreign key (workspace_id, successor_id) references member (workspace_id, id)
) strict;
create index account_of_collection on account (workspace_id, collection_id, id) where collection_id is not null;
create index account_of_owner on account (workspace_id, owner_id, id) where owner_id is not null;
create index account_of_successor on account (workspace_id, successor_id, id) where successor_id is not null;

create table access_grant (
  workspace_id blob not null,
  id blob not null,
  member_id blob,
  member_epoch integer,
  team_id blob,
  account_id blob,
  collection_id blob,
  permission text not null,
  starts_at integer,
  ends_at integer,
  reason text,
  granted_by text not null,
  granted_at integer not null,
  primary key (workspace_id, id),
  constraint access_grant_subject check ((member_id is null) <> (team_id is null) and (member_id is null) = (member_epoch is null)),
  constraint access_grant_object check ((account_id is null) <> (collection_id is null)),
  constraint access_grant_member foreign key (workspace_id, member_id) references member (workspace_id, id),
  constraint access_grant_team foreign key (workspace_id, team_id) references team (workspace_id, id) on delete cascade,
  constraint access_grant_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade,
  constraint access_grant_collection foreign key (workspace_id, collection_id) references collection (workspace_id, id) on delete cascade
) strict;
create index access_grant_of_member on access_grant (workspace_id, member_id, id) where member_id is not null;
create index access_grant_of_team on access_grant (workspace_id, team_id, id) where team_id is not null;
create index access_grant_of_account on access_grant (workspace_id, account_id, id) where account_id is not null;
create index access_grant_of_collection on access_grant (workspace_id, collection_id, id) where collection_id is not null;

create table exposure (
  workspace_id blob not null,
  account_id blob not null,
  member_id blob not null,
  generation integer not null,
  kind text not null,
  at integer not null,
  primary key (workspace_id, account_id, member_id, generation),
  constraint exposure_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade,
  constraint exposure_member foreign key (workspace_id, member_id) references member (workspace_id, id)
) strict, without rowid;
create index exposure_of_member on exposure (workspace_id, member_id, account_id, generation);

create table offboarding_case (
  workspace_id blob not null,
  id blob not null,
  member_id blob not null,
  epoch integer not null,
  trigger_word text not null,
  request_id blob not null,
  state text not null,
  cut_at integer not null,
  summary text not null,
  primary key (workspace_id, id),
  constraint offboarding_case_member foreign key (workspace_id, member_id) references member (workspace_id, id)
) strict;
create unique index offboarding_case_epoch on offboarding_case (workspace_id, member_id, epoch);
create index offboarding_case_cut_at on offboarding_case (workspace_id, cut_at);
create index offboarding_case_state on offboarding_case (workspace_id, state, id);
-- Of all workspaces, for the one job that lets held cases go; few rows.
create index offboarding_case_held on offboarding_case (cut_at) where state = 'held';

-- What a case found, kept as it was: it refers to no account or grant, which may go.
create table case_item (
  workspace_id blob not null,
  case_id blob not null,
  account_id blob not null,
  account_name text not null,
  decision text not null,
  rule text not null,
  evidence text not null,
  primary key (workspace_id, case_id, account_id),
  constraint case_item_case foreign key (workspace_id, case_id) references offboarding_case (workspace_id, id) on delete cascade
) strict;
create table removed_grant (
  workspace_id blob not null,
  case_id blob not null,
  id blob not null,
  member_id blob not null,
  member_epoch integer not null,
  account_id blob,
  collection_id blob,
  permission text not null,
  starts_at integer,
  ends_at integer,
  reason text,
  granted_by text not null,
  granted_at integer not null,
  primary key (workspace_id, case_id, id),
  constraint removed_grant_case foreign key (workspace_id, case_id) references offboarding_case (workspace_id, id) on delete cascade
) strict;

create table outbox (
  workspace_id blob not null,
  id blob not null,
  kind text not null,
  effect_key text not null,
  case_id blob,
  priority integer not null,
  payload text not null,
  state text not null,
  due_at integer not null,
  created_at integer not null,
  leased_until integer,
  primary key (workspace_id, id)
) strict;
create unique index outbox_effect_key on outbox (workspace_id, effect_key);
create index outbox_of_case on outbox (workspace_id, case_id, id) where case_id is not null;
create index outbox_ready on outbox (workspace_id, kind, priority, due_at) where state = 'ready';

create table token (
  workspace_id blob not null,
  id blob not null,
  kind text not null,
  name text not null,
  hint text not null,
  hash blob not null,
  sealed blob,
  member_id blob,
  member_epoch integer,
  scopes text not null,
  rate_limit integer,
  created_at integer not null,
  valid_until integer,
  revoked_at integer,
  primary key (workspace_id, id),
  constraint token_member foreign key (workspace_id, member_id) references member (workspace_id, id)
) strict;
-- A login knows its token and not yet its workspace.
create unique index token_hash on token (hash);
create index token_of_member on token (workspace_id, member_id) where member_id is not null;

create table token_use (
  workspace_id blob not null,
  token_id blob not null,
  last_used_at integer not null,
  last_address text not null,
  last_agent text,
  requests integer not null,
  primary key (workspace_id, token_id),
  constraint token_use_token foreign key (workspace_id, token_id) references token (workspace_id, id) on delete cascade
) strict;

-- The audit log. A record is written without `seq`, and gets its place in the chain right after.
create table audit_record (
  workspace_id blob not null,
  id blob not null,
  at integer not null,
  actor text not null,
  action text not null,
  target_kind text not null,
  target_id text not null,
  request_id blob not null,
  detail text not null,
  seq integer,
  previous_hash blob,
  hash blob,
  primary key (workspace_id, id)
) strict;
create index audit_record_unsealed on audit_record (workspace_id, id) where seq is null;
create unique index audit_record_seq on audit_record (workspace_id, seq) where seq is not null;
create index audit_record_target on audit_record (workspace_id, target_id, id);

-- Where the chain of each workspace ends; who seals holds its row.
create table audit_head (
  workspace_id blob not null primary key,
  seq integer not null,
  hash blob not null
) strict;

create table flight (
  workspace_id blob not null,
  id blob not null,
  at integer not null,
  token_id blob not null,
  request_id blob not null,
  method text not null,
  path text not null,
  status integer not null,
  verdict text not null,
  mutating integer not null,
  micros integer not null,
  address text not null,
  agent text,
  detail text not null,
  primary key (workspace_id, id)
) strict;
