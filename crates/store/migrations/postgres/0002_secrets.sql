-- Secrets, their versions, the keys that versions are sealed under, and the ledger of who saw what.

-- Wrapped twice: under the installation's key-encryption key, and for recovery. Empty when retired.
create table workspace_key (
  workspace_id uuid not null,
  number bigint not null,
  kek_id text collate "C" not null,
  primary_wrap bytea not null,
  recovery_wrap bytea not null,
  created_at bigint not null,
  retired_at bigint,
  primary key (workspace_id, number)
);

create table secret (
  workspace_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  kind text collate "C" not null,
  label text collate "C" not null,
  created_at bigint not null,
  created_by text collate "C" not null,
  primary key (workspace_id, id),
  constraint secret_account foreign key (workspace_id, account_id) references account (workspace_id, id) on delete cascade
);
create index secret_of_account on secret (workspace_id, account_id, id);
-- An account has one password: its versions are what the account's generation counts.
create unique index secret_password on secret (workspace_id, account_id) where kind = 'password';

create table secret_version (
  workspace_id uuid not null,
  secret_id uuid not null,
  version bigint not null,
  state text collate "C" not null,
  key_number bigint not null,
  digest bytea not null,
  sealed bytea not null,
  created_at bigint not null,
  created_by text collate "C" not null,
  verified_at bigint,
  retired_at bigint,
  primary key (workspace_id, secret_id, version),
  constraint secret_version_secret foreign key (workspace_id, secret_id) references secret (workspace_id, id) on delete cascade
);
-- At most one pending, one current and one previous.
create unique index secret_version_state on secret_version (workspace_id, secret_id, state) where state <> 'retired';
-- What is still to be sealed anew when a key is replaced.
create index secret_version_of_key on secret_version (workspace_id, key_number, secret_id, version);

create table burned_code (
  workspace_id uuid not null,
  secret_id uuid not null,
  version bigint not null,
  number bigint not null,
  at bigint not null,
  burned_by text collate "C" not null,
  primary key (workspace_id, secret_id, version, number),
  constraint burned_code_version foreign key (workspace_id, secret_id, version) references secret_version (workspace_id, secret_id, version) on delete cascade
);

-- Only ever added to. It refers to no account, secret or member, which may go.
create table exposure_event (
  workspace_id uuid not null,
  id uuid not null,
  account_id uuid not null,
  secret_id uuid,
  version bigint not null,
  member_id uuid,
  kind text collate "C" not null,
  client text collate "C" not null,
  at bigint not null,
  request_id uuid not null,
  primary key (workspace_id, id)
);
create index exposure_event_of_account on exposure_event (workspace_id, account_id, id);
create index exposure_event_of_member on exposure_event (workspace_id, member_id, id) where member_id is not null;
-- How many codes somebody was given for an account of late.
create index exposure_event_codes on exposure_event (workspace_id, member_id, account_id, at) where kind = 'totp_code';
