-- The ground of the database. Every row that belongs to an account carries it.
-- Big tables are partitioned by their UUIDv7 key, which is ordered by time, so that retention is a drop.

create table account (
  id uuid primary key,
  name text not null unique,
  created_at timestamptz not null
);

create table token (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null,
  role text not null check (role in ('viewer', 'editor', 'admin')),
  hash text not null unique,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz
);
create index token_of_account on token (account_id, id);

-- Channels are shared by all accounts (account_id null) or owned by one.
create table channel (
  id int primary key,
  sid text not null unique,
  kind text not null check (kind in ('built_in', 'system', 'custom')),
  account_id uuid references account,
  status text not null default 'active' check (status in ('draft', 'active', 'paused', 'archived')),
  version_id int not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);

-- A version never changes; messages name the one they were accepted with.
create table channel_version (
  id int generated always as identity primary key,
  channel_id int not null,
  version int not null,
  document text not null,
  hash text not null,
  created_at timestamptz not null,
  unique (channel_id, version)
);

create table provider_config (
  account_id uuid not null references account,
  channel_id int not null,
  fields jsonb not null,
  updated_at timestamptz not null,
  primary key (account_id, channel_id)
);

create table sender (
  id uuid primary key,
  account_id uuid not null references account,
  sid text not null,
  name text not null,
  channel_id int not null,
  fields jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, channel_id, sid)
);

create table resource (
  id uuid primary key,
  account_id uuid not null references account,
  sid text not null,
  name text not null,
  -- channel sid -> values of the channel's resource fields
  channels jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, sid)
);

create table profile (
  id uuid primary key,
  account_id uuid not null references account,
  external_id text not null,
  fields jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, external_id)
);

create table subscription (
  id uuid primary key,
  account_id uuid not null references account,
  profile_id uuid not null references profile,
  resource_id uuid not null references resource,
  channel_id int not null,
  fields jsonb not null,
  status text not null check (status in ('subscribed', 'unsubscribed', 'hard_bounced')),
  status_reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (profile_id, resource_id, channel_id)
);
-- The audience of a launch is walked in this order.
create index subscription_audience on subscription (resource_id, channel_id, id);

create table template (
  id uuid primary key,
  account_id uuid not null references account,
  sid text not null,
  name text not null,
  channel_id int not null,
  version int not null,
  "values" json not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, channel_id, sid)
);

create table connector (
  id uuid primary key,
  account_id uuid not null references account,
  sid text not null,
  name text not null,
  fields jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (account_id, sid)
);

create table mailing (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null,
  channel_id int not null,
  sender_id uuid references sender,
  resource_id uuid not null references resource,
  content json not null,
  fields json not null,
  audience json not null,
  schedule json,
  class text not null,
  state text not null check (state in ('draft', 'scheduled', 'moderating', 'sending', 'paused', 'stopped', 'finished')),
  state_reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index mailing_of_account on mailing (account_id, id desc);

-- One start of a mailing: what it sends is fixed here.
create table launch (
  id uuid primary key,
  mailing_id uuid not null references mailing,
  account_id uuid not null,
  number int not null,
  kind text not null check (kind in ('real', 'test', 'moderation')),
  channel_version_id int not null references channel_version,
  sender_id uuid,
  resource_id uuid not null,
  content json not null,
  fields json not null,
  audience json not null,
  class text not null,
  -- the last subscription that was turned into a message; null before the first page
  opened_to uuid,
  opened int not null default 0,
  opening boolean not null,
  state text not null check (state in ('sending', 'paused', 'stopped', 'finished')),
  started_at timestamptz not null,
  finished_at timestamptz,
  unique (mailing_id, number)
);
create index launch_unfinished on launch (id) where finished_at is null;

-- What is isolated from what: own concurrency, own limits, own pause.
create table lane (
  id int generated always as identity primary key,
  key text not null unique,
  account_id uuid,
  channel_id int not null,
  sender_id uuid,
  paused_at timestamptz,
  -- open: nothing is claimed until probe_at; half_open: one node probes until probe_at
  breaker text not null default 'closed' check (breaker in ('closed', 'open', 'half_open')),
  opened_at timestamptz,
  probe_at timestamptz,
  times_opened int not null default 0,
  fault json,
  -- raised when rows behind the cursors become claimable again
  epoch int not null default 0,
  created_at timestamptz not null
);

-- A process that claims. Its claims are good as long as its heartbeat is.
create table node (
  id int generated always as identity primary key,
  name text not null,
  started_at timestamptz not null,
  heartbeat_at timestamptz not null
);

-- Everything that waits: an event standing before a pipe, with a due time.
create table waiting (
  id uuid not null,
  account_id uuid,
  lane_id int not null,
  due_at timestamptz not null,
  -- the node that has claimed it; never indexed, so that claiming stays a heap-only update
  owner int,
  pipeline smallint not null,
  -- null: the first pipe of the pipeline
  pipe int,
  tries smallint not null default 0,
  message_id uuid,
  channel_version_id int not null,
  payload text,
  primary key (id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Claiming reads exactly this order.
create index waiting_in_order on waiting (lane_id, due_at, id);
create index waiting_of_message on waiting (message_id) where message_id <> id;

create table message (
  id uuid not null,
  account_id uuid not null,
  channel_id int not null,
  channel_version_id int not null,
  lane_id int not null,
  launch_id uuid,
  profile_id uuid,
  subscription_id uuid,
  resource_id uuid not null,
  sender_id uuid,
  state smallint not null,
  attempt smallint not null default 1,
  reason text,
  external_id text,
  class text not null,
  -- own values and attributes of a message sent by the API; null: those of the launch
  content json,
  expires_at timestamptz,
  updated_at timestamptz not null,
  primary key (id)
) partition by range (id);
create index message_of_account on message (account_id, id);
create index message_of_launch on message (launch_id) where launch_id is not null;

create table event (
  id uuid not null,
  account_id uuid not null,
  message_id uuid not null,
  channel_id int not null,
  launch_id uuid,
  -- the channel's event; null for stop, moderate_pass, moderate_error
  event_id int,
  type text not null,
  attempt smallint not null,
  time timestamptz not null,
  external_id text,
  code text,
  text text,
  value json,
  primary key (id)
) partition by range (id);
create index event_of_message on event (message_id);

create table attempt (
  id uuid not null,
  account_id uuid not null,
  message_id uuid not null,
  number smallint not null,
  outcome text not null,
  trail json not null,
  primary key (id)
) partition by range (id);
create index attempt_of_message on attempt (message_id);

-- The provider's own ids of messages.
create table external_id (
  channel_id int not null,
  external_id text not null,
  message_id uuid not null,
  attempt smallint not null,
  primary key (channel_id, external_id, message_id)
);
-- For retention only: brin, because rows come in the order of their messages.
create index external_id_by_message on external_id using brin (message_id);

-- Events whose message is not known yet.
create table parked_event (
  id uuid primary key,
  channel_id int not null,
  sender_id uuid,
  account_id uuid,
  external_id text,
  message_id uuid,
  event json not null,
  parked_at timestamptz not null
);
create index parked_by_external_id on parked_event (channel_id, external_id);
create index parked_by_message on parked_event (message_id) where message_id is not null;

-- Repeats of a provider's request or event, known by the name the author gave them.
create table seen (
  scope text not null,
  key text not null,
  seen_at timestamptz not null,
  primary key (scope, key)
);
create index seen_by_time on seen (seen_at);

-- What store_set keeps, per channel and account.
create table store_record (
  account_id uuid not null,
  channel_id int not null,
  table_name text not null,
  key text not null,
  value text not null,
  expires_at timestamptz not null,
  primary key (account_id, channel_id, table_name, key)
);
create index store_record_by_expiry on store_record (expires_at);

-- Where the next free slot of a rate limit is.
create table rate_slot (
  key text primary key,
  next_at timestamptz not null
);

create table idempotency (
  account_id uuid not null,
  key text not null,
  hash text not null,
  status smallint,
  answer text,
  created_at timestamptz not null,
  primary key (account_id, key)
);
create index idempotency_by_time on idempotency (created_at);

create table audit (
  id uuid primary key,
  account_id uuid not null,
  token_id uuid,
  action text not null,
  subject text not null,
  before json,
  after json,
  at timestamptz not null
);
create index audit_of_account on audit (account_id, id desc);

create table setting (
  key text primary key,
  value text not null
);

-- Makes the partitions of one month of every big table; safe to call again.
create function make_partitions(month date) returns void language plpgsql as $$
declare
  parent text;
  low uuid := uuid_floor(month::timestamp at time zone 'UTC');
  high uuid := uuid_floor((month + interval '1 month') at time zone 'UTC');
begin
  foreach parent in array array['message', 'event', 'attempt'] loop
    execute format(
      'create table if not exists %I partition of %I for values from (%L) to (%L) with (fillfactor = %s)',
      parent || '_' || to_char(month, 'YYYYMM'), parent, low, high,
      case parent when 'message' then 80 else 100 end);
  end loop;
end $$;

-- The smallest UUIDv7 of a moment.
create function uuid_floor(moment timestamptz) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || '7000' || '8000' || '000000000000')::uuid
$$;

-- The UUIDv7 that a launch gives to the message of one subscription: the same each time, so that no restart,
-- double click or second process can open a message twice.
create function launch_message_id(launch uuid, target uuid) returns uuid language sql immutable as $$
  select (substr(replace(launch::text, '-', ''), 1, 12) || '7' || substr(h, 1, 3) ||
          substr('89ab', 1 + (get_byte(decode(substr(h, 4, 2), 'hex'), 0) & 3), 1) || substr(h, 6, 15))::uuid
  from (select md5(launch::text || target::text) as h) as hashed
$$;

-- Claims what is due in the given lanes, each from its own cursor on and up to its own share, in the order of
-- waiting_in_order, and brings what a run needs of each. The plan is nailed down: whatever the statistics say,
-- indexes are walked and nothing is sorted or hashed.
create function claim_waiting(
  p_node int, p_now timestamptz, p_lanes int[], p_due float8[], p_ids uuid[], p_shares int[]
) returns table (
  id uuid, account_id uuid, lane_id int, due float8, pipeline smallint, pipe int, tries smallint, message_id uuid,
  channel_version_id int, payload text, launch_id uuid, resource_id uuid, sender_id uuid, state smallint,
  attempt smallint, class text, content json, expires float8, profile_external_id text, profile jsonb,
  subscription jsonb, subscription_status text
) language plpgsql
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashjoin = off
  set enable_mergejoin = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  return query
  with claimed as (
    update waiting set owner = p_node
    where waiting.id = any (array(
      select due.id
      from unnest(p_lanes, p_due, p_ids, p_shares) as lane (id, due, after, share)
      cross join lateral (
        select w.id from waiting w
        where w.lane_id = lane.id
          and (w.due_at, w.id) > (to_timestamp(lane.due / 1000), lane.after)
          and w.due_at <= p_now and w.owner is null
        order by w.due_at, w.id
        limit lane.share
        for update skip locked) as due))
    returning waiting.*)
  select c.id, c.account_id, c.lane_id, (extract(epoch from c.due_at) * 1000)::float8, c.pipeline, c.pipe, c.tries,
    c.message_id, c.channel_version_id, c.payload, m.launch_id, m.resource_id, m.sender_id, m.state, m.attempt,
    m.class, m.content, (extract(epoch from m.expires_at) * 1000)::float8, p.external_id, p.fields, s.fields, s.status
  from claimed c
  left join message m on m.id = c.message_id
  left join profile p on p.id = m.profile_id
  left join subscription s on s.id = m.subscription_id;
end $$;
