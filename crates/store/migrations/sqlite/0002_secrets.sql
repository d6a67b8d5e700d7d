-- Secrets, their versions, the keys that versions are sealed under, and the ledger of who saw what.

-- Wrapped twice: under the installation's key-encryption key, and for recovery. Empty when retired.
create table workspace_key (
  workspace_id blob not null,
  number integer not null,
  kek_id text not null,
  primary_wrap blob not null,
  recovery_wrap blob not null,
  created_at integer not null,
  retired_at integer,
  primary key (workspace_id, number)
) strict;

create table secret (
  workspace_id blob not null,
  id blob not null,
  account_id blob not null,
  kind text not null,
  label text not null,
  created_at integer not null,
  created_by text not null,
  primary key (workspace_id, id),
  constraint secret_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade
) strict;
create index secret_of_account on secret (workspace_id, account_id, id);
-- An account has one password: its versions are what the account's generation counts.
create unique index secret_password on secret (workspace_id, account_id) where kind = 'password';

create table secret_version (
  workspace_id blob not null,
  secret_id blob not null,
  version integer not null,
  state text not null,
  key_number integer not null,
  digest blob not null,
  sealed blob not null,
  created_at integer not null,
  created_by text not null,
  verified_at integer,
  retired_at integer,
  primary key (workspace_id, secret_id, version),
  constraint secret_version_secret foreign key (workspace_id, secret_id) references secret (workspace_id, id) on delete cascade
) strict;
-- At most one pending, one current and one previous.
create unique index secret_version_state on secret_version (workspace_id, secret_id, state) where state <> 'retired';
-- What is still to be sealed anew when a key is replaced.
create index secret_version_of_key on secret_version (workspace_id, key_number, secret_id, version);

create table burned_code (
  workspace_id blob not null,
  secret_id blob not null,
  version integer not null,
  number integer not null,
  at integer not null,
  burned_by text not null,
  primary key (workspace_id, secret_id, version, number),
  constraint burned_code_version foreign key (workspace_id, secret_id, version) references secret_version (workspace_id, secret_id, version) on delete cascade
) strict, without rowid;

-- Only ever added to. It refers to no account, secret or member, which may go.
create table exposure_event (
  workspace_id blob not null,
  id blob not null,
  account_id blob not null,
  secret_id blob,
  version integer not null,
  member_id blob,
  kind text not null,
  client text not null,
  at integer not null,
  request_id blob not null,
  primary key (workspace_id, id)
) strict;
create index exposure_event_of_account on exposure_event (workspace_id, account_id, id);
create index exposure_event_of_member on exposure_event (workspace_id, member_id, id) where member_id is not null;
-- How many codes somebody was given for an account of late.
create index exposure_event_codes on exposure_event (workspace_id, member_id, account_id, at) where kind = 'totp_code';
