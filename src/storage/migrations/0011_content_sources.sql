-- Content sources: where content comes from, how far a sync is, and what is known of each entry there.

create table content_source (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null,
  provider text not null,
  -- Connection details and the secret of webhooks; secrets are encrypted.
  config jsonb not null,
  sync_mode text not null check (sync_mode in ('webhook', 'polling')),
  sync_interval_minutes int,
  auto_publish boolean not null,
  mappings json not null,
  channel_type text not null,
  status text not null check (status in ('active', 'paused')),
  -- In a row.
  failures int not null,
  last_error text,
  last_sync_at timestamptz,
  -- When a sync that saw everything began last; null after a change, so that the next one sees everything.
  last_full_at timestamptz,
  last_sync json,
  -- The one waiting row that syncs; another row of the same source has been overtaken and does nothing.
  sync_id uuid,
  -- How far the sync is; null: none is under way.
  sync json,
  -- The CMS asked to be left alone until then.
  blocked_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, name)
);
create index content_source_in_order on content_source (account_id, id desc);

create table content_source_entry (
  source_id uuid not null references content_source on delete cascade,
  external_id text not null,
  id uuid not null,
  -- When a sync saw it last, by the time at which that sync began.
  seen_at timestamptz not null,
  -- When it was changed there, and when that was kept here.
  changed_at timestamptz,
  kept_at timestamptz,
  -- Deleted or unpublished there, and taken from customers here.
  gone boolean not null default false,
  -- What people should know: why it was not kept, or not published, or what it lacks.
  problem text,
  kept boolean not null,
  primary key (source_id, external_id)
);
create index content_source_problem on content_source_entry (source_id, id desc) where problem is not null;
