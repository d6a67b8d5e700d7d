-- The first schema. The same tables, columns, keys and indexes as the other database's file of this
-- name; a test compares them. Every key starts with the workspace. Times are microseconds since 1970,
-- JSON is text, names are compared by their folded `_key`. Workspaces are never removed, so rows do
-- not refer to theirs: a check at each insert would buy nothing and make inserts meet on one row.

create table workspace (
  id uuid not null primary key,
  name text collate "C" not null,
  name_key text collate "C" not null,
  state text collate "C" not null,
  policy text collate "C" not null,
  version bigint not null,
  created_at bigint not null
);
create unique index workspace_name_key on workspace (name_key);

create table member (
  workspace_id uuid not null,
  id uuid not null,
  user_name text collate "C" not null,
  user_name_key text collate "C" not null,
  external_id text collate "C",
  display_name text collate "C" not null,
  display_name_key text collate "C" not null,
  work_email text collate "C",
  work_email_key text collate "C",
  role text collate "C" not null,
  state text collate "C" not null,
  origin text collate "C" not null,
  access_epoch bigint not null,
  reviewed_epoch bigint not null,
  resource text collate "C" not null,
  version bigint not null,
  created_at bigint not null,
  modified_at bigint not null,
  left_at bigint,
  primary key (workspace_id, id)
);
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
  workspace_id uuid not null,
  member_id uuid not null,
  email_key text collate "C" not null,
  primary key (workspace_id, member_id, email_key),
  constraint member_email_member foreign key (workspace_id, member_id) references member (workspace_id, id)
);
create index member_email_key on member_email (workspace_id, email_key);

create table team (
  workspace_id uuid not null,
  id uuid not null,
  display_name text collate "C" not null,
  display_name_key text collate "C" not null,
  external_id text collate "C",
  origin text collate "C" not null,
  resource text collate "C" not null,
  version bigint not null,
  created_at bigint not null,
  modified_at bigint not null,
  primary key (workspace_id, id)
);
create unique index team_display_name_key on team (workspace_id, display_name_key);
create index team_external_id on team (workspace_id, external_id) where external_id is not null;

create table membership (
  workspace_id uuid not null,
  team_id uuid not null,
  member_id uuid not null,
  confirmed_epoch bigint,
  primary key (workspace_id, team_id, member_id),
  constraint membership_team foreign key (workspace_id, team_id) references team (workspace_id, id) on delete cascade,
  constraint membership_member foreign key (workspace_id, member_id) references member (workspace_id, id)
);
create index membership_of_member on membership (workspace_id, member_id, team_id);

create table collection (
  workspace_id uuid not null,
  id uuid not null,
  name text collate "C" not null,
  parent_id uuid,
  version bigint not null,
  created_at bigint not null,
  primary key (workspace_id, id),
  constraint collection_parent foreign key (workspace_id, parent_id) references collection (workspace_id, id)
);
create index collection_children on collection (workspace_id, parent_id) where parent_id is not null;

create table account (
  workspace_id uuid not null,
  id uuid not null,
  name text collate "C" not null,
  app text collate "C" not null,
  url text collate "C",
  username text collate "C",
  sensitivity text collate "C" not null,
  offboarding_rotation text collate "C" not null,
  collection_id uuid,
  owner_id uuid,
  owner_flag text collate "C",
  successor_id uuid,
  secret_generation bigint not null,
  version bigint not null,
  created_at bigint not null,
  modified_at bigint not null,
  primary key (workspace_id, id),
  constraint account_collection foreign key (workspace_id, collection_id) references collection (workspace_id, id),
  constraint account_owner foreign key (workspace_id, owner_id) references member (workspace_id, id),
  constraint account_successor foreign key (workspace_id, successor_id) references member (workspace_id, id)
);
create index account_of_collection on account (workspace_id, collection_id, id) where collection_id is not null;
create index account_of_owner on account (workspace_id, owner_id, id) where owner_id is not null;
create index account_of_successor on account (workspace_id, successor_id, id) where successor_id is not null;

create table access_grant (
  workspace_id uuid not null,
  id uuid not null,
  member_id uuid,
  member_epoch bigint,
  team_id uuid,
  account_id uuid,
  collection_id uuid,
  permission text collate "C" not null,
  starts_at bigint,
  ends_at bigint,
  reason text collate "C",
  granted_by text collate "C" not null,
  granted_at bigint not null,
  primary key (workspace_id, id),
  constraint access_grant_subject check ((member_id is null) <> (team_id is null) and (member_id is null) = (member_epoch is null)),
  constraint access_grant_object check ((account_id is null) <> (collection_id is null)),
  constraint access_grant_member foreign key (workspace_id, member_id) references member (workspace_id, id),
  constraint access_grant_team foreign key (workspace_id, team_id) references team (workspace_id, id) on delete cascade,
  constraint access_grant_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade,
  constraint access_grant_collection foreign key (workspace_id, collection_id) references collection (workspace_id, id) on delete cascade
);
create index access_grant_of_member on access_grant (workspace_id, member_id, id) where member_id is not null;
create index access_grant_of_team on access_grant (workspace_id, team_id, id) where team_id is not null;
create index access_grant_of_account on access_grant (workspace_id, account_id, id) where account_id is not null;
create index access_grant_of_collection on access_grant (workspace_id, collection_id, id) where collection_id is not null;

create table exposure (
  workspace_id uuid not null,
  account_id uuid not null,
  member_id uuid not null,
  generation bigint not null,
  kind text collate "C" not null,
  at bigint not null,
  primary key (workspace_id, account_id, member_id, generation),
  constraint exposure_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade,
  constraint exposure_member foreign key (workspace_id, member_id) references member (workspace_id, id)
);
create index exposure_of_member on exposure (workspace_id, member_id, account_id, generation);

create table offboarding_case (
  workspace_id uuid not null,
  id uuid not null,
  member_id uuid not null,
  epoch bigint not null,
  trigger_word text collate "C" not null,
  request_id uuid not null,
  state text collate "C" not null,
  cut_at bigint not null,
  summary text collate "C" not null,
  primary key (workspace_id, id),
  constraint offboarding_case_member foreign key (workspace_id, member_id) references member (workspace_id, id)
);
create unique index offboarding_case_epoch on offboarding_case (workspace_id, member_id, epoch);
create index offboarding_case_cut_at on offboarding_case (workspace_id, cut_at);
create index offboarding_case_state on offboarding_case (workspace_id, state, id);
-- Of all workspaces, for the one job that lets held cases go; few rows.
create index offboarding_case_held on offboarding_case (cut_at) where state = 'held';

-- What a case found, kept as it was: it refers to no account or grant, which may go.
create table case_item (
  workspace_id uuid not null,
  case_id uuid not null,
  account_id uuid not null,
  account_name text collate "C" not null,
  decision text collate "C" not null,
  rule text collate "C" not null,
  evidence text collate "C" not null,
  primary key (workspace_id, case_id, account_id),
  constraint case_item_case foreign key (workspace_id, case_id) references offboarding_case (workspace_id, id) on delete cascade
);
create table removed_grant (
  workspace_id uuid not null,
  case_id uuid not null,
  id uuid not null,
  member_id uuid not null,
  member_epoch bigint not null,
  account_id uuid,
  collection_id uuid,
  permission text collate "C" not null,
  starts_at bigint,
  ends_at bigint,
  reason text collate "C",
  granted_by text collate "C" not null,
  granted_at bigint not null,
  primary key (workspace_id, case_id, id),
  constraint removed_grant_case foreign key (workspace_id, case_id) references offboarding_case (workspace_id, id) on delete cascade
);

create table outbox (
  workspace_id uuid not null,
  id uuid not null,
  kind text collate "C" not null,
  effect_key text collate "C" not null,
  case_id uuid,
  priority bigint not null,
  payload text collate "C" not null,
  state text collate "C" not null,
  due_at bigint not null,
  created_at bigint not null,
  leased_until bigint,
  primary key (workspace_id, id)
);
create unique index outbox_effect_key on outbox (workspace_id, effect_key);
create index outbox_of_case on outbox (workspace_id, case_id, id) where case_id is not null;
create index outbox_ready on outbox (workspace_id, kind, priority, due_at) where state = 'ready';

create table token (
  workspace_id uuid not null,
  id uuid not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  hint text collate "C" not null,
  hash bytea not null,
  sealed bytea,
  member_id uuid,
  member_epoch bigint,
  scopes text collate "C" not null,
  rate_limit bigint,
  created_at bigint not null,
  valid_until bigint,
  revoked_at bigint,
  primary key (workspace_id, id),
  constraint token_member foreign key (workspace_id, member_id) references member (workspace_id, id)
);
-- A login knows its token and not yet its workspace.
create unique index token_hash on token (hash);
create index token_of_member on token (workspace_id, member_id) where member_id is not null;

create table token_use (
  workspace_id uuid not null,
  token_id uuid not null,
  last_used_at bigint not null,
  last_address text collate "C" not null,
  last_agent text collate "C",
  requests bigint not null,
  primary key (workspace_id, token_id),
  constraint token_use_token foreign key (workspace_id, token_id) references token (workspace_id, id) on delete cascade
);

-- The audit log. A record is written without `seq`, and gets its place in the chain right after.
create table audit_record (
  workspace_id uuid not null,
  id uuid not null,
  at bigint not null,
  actor text collate "C" not null,
  action text collate "C" not null,
  target_kind text collate "C" not null,
  target_id text collate "C" not null,
  request_id uuid not null,
  detail text collate "C" not null,
  seq bigint,
  previous_hash bytea,
  hash bytea,
  primary key (workspace_id, id)
);
create index audit_record_unsealed on audit_record (workspace_id, id) where seq is null;
create unique index audit_record_seq on audit_record (workspace_id, seq) where seq is not null;
create index audit_record_target on audit_record (workspace_id, target_id, id);

-- Where the chain of each workspace ends; who seals holds its row.
create table audit_head (
  workspace_id uuid not null primary key,
  seq bigint not null,
  hash bytea not null
);

create table flight (
  workspace_id uuid not null,
  id uuid not null,
  at bigint not null,
  token_id uuid not null,
  request_id uuid not null,
  method text collate "C" not null,
  path text collate "C" not null,
  status bigint not null,
  verdict text collate "C" not null,
  mutating boolean not null,
  micros bigint not null,
  address text collate "C" not null,
  agent text collate "C",
  detail text collate "C" not null,
  primary key (workspace_id, id)
);

-- An expectation that finds no row fails the transaction, so that the COMMIT that was sent along
-- with it becomes a rollback.
create function latchkey_expect(hits bigint) returns bigint language plpgsql as $$
begin
  if hits = 0 then
    raise exception 'what the change rests on has moved' using errcode = 'LK001';
  end if;
  return hits;
end
$$;
