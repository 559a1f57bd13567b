-- The content library: items, whose pointers move; versions, which never change; the history of their states.

create table content_item (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null,
  description text,
  channel_type text not null,
  status text not null check (status in ('draft', 'in_review', 'approved', 'published', 'archived')),
  tags json not null,
  is_template boolean not null,
  parent_template_id uuid,
  source_type text not null,
  source_id uuid,
  external_id text,
  -- The version that people work on, the newest that was recorded, and the one that customers get.
  version int not null,
  newest_version int not null,
  published_version int,
  published_at timestamptz,
  submitted_by uuid,
  submitted_version int,
  submitted_at timestamptz,
  approved_by uuid,
  approved_version int,
  approved_at timestamptz,
  -- What the source sent last, its version here, and why people must look at it.
  synced json,
  synced_version int,
  conflict text,
  -- Counts up with every change, so that a change knows whether it still speaks of what it saw.
  revision int not null,
  -- Words of name and text, and terms such as '=s' || status (storage/content-terms.ts).
  search tsvector not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, name),
  unique (source_id, external_id)
) with (toast_tuple_target = 512);
create index content_in_order on content_item (account_id, id);
create index content_by_status on content_item (account_id, status, id);
-- Without the pending list, so that no search pays for the writes before it.
create index content_search on content_item using gin (search) with (fastupdate = off);

create table content_version (
  item_id uuid not null references content_item,
  version int not null,
  account_id uuid not null,
  name text not null,
  content json not null,
  blocks json,
  personalization json,
  -- Null: the content source.
  changed_by uuid,
  change_note text,
  created_at timestamptz not null,
  primary key (item_id, version)
);

create table content_history (
  id uuid primary key,
  item_id uuid not null references content_item,
  account_id uuid not null,
  call text not null,
  from_status text,
  to_status text not null,
  version int not null,
  -- Null: the content source.
  by_user uuid,
  note text,
  at timestamptz not null
);
create index content_history_of_item on content_history (item_id, id);

-- Items that have all the terms of a query, at most so many of them. The plan is nailed down: whatever the statistics
-- say, the lists of the index are intersected, and only what matches is read from the table.
create function content_matches(p_query tsquery, p_most int) returns setof uuid language sql stable
  set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off
as $$
  select id from content_item where search @@ p_query limit p_most
$$;
