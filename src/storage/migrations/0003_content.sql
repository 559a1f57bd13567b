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

-- The plans of the following functions are nailed down: whatever the statistics say, or where there are none, no page
-- of a library reads more than it needs.

-- Items that have all the terms of a query, at most so many of them: the lists of the index are intersected, and only
-- what matches is read from the table.
create function content_matches(p_query tsquery, p_most int) returns setof uuid language sql stable
  set enable_seqscan = off set enable_indexscan = off set enable_indexonlyscan = off
as $$
  select id from content_item where search @@ p_query limit p_most
$$;

-- How many items an account has, or has in a state, counted at most so far.
create function content_count(p_account uuid, p_status text, p_most int) returns int language plpgsql stable
  set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan
as $$
begin
  if p_status is null then
    return (select count(*) from (select from content_item where account_id = p_account limit p_most) as counted);
  end if;
  return (select count(*) from (
    select from content_item where account_id = p_account and status = p_status limit p_most) as counted);
end $$;

-- The next items of an account that fit, newest first, by walking them in their order; of a state in an order of its own.
-- Rows are compared as wholes, because then only the index that begins with the account (and the state) gives the order:
-- with equalities the planner may think that walking all ids and leaving most out is as good.
create function content_walk(
  p_account uuid, p_before uuid, p_limit int, p_status text, p_type text, p_template boolean, p_source text,
  p_query tsquery
) returns setof uuid language plpgsql stable
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set plan_cache_mode = force_generic_plan
as $$
begin
  if p_status is null then
    return query
    select id from content_item
    where (account_id, id) < (p_account, p_before) and account_id >= p_account and (p_type is null or channel_type = p_type)
      and (p_template is null or is_template = p_template) and (p_source is null or source_type = p_source)
      and (p_query is null or search @@ p_query)
    order by account_id desc, id desc limit p_limit;
    return;
  end if;
  return query
  select id from content_item
  where (account_id, status, id) < (p_account, p_status, p_before) and (account_id, status) >= (p_account, p_status)
    and (p_type is null or channel_type = p_type) and (p_template is null or is_template = p_template)
    and (p_source is null or source_type = p_source) and (p_query is null or search @@ p_query)
  order by account_id desc, status desc, id desc limit p_limit;
end $$;
