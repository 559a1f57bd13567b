-- What operators are told, and the webhooks by which they are told it.

-- One row per fact, written with the fact itself.
create table operator_event (
  id uuid primary key,
  -- null: of the whole platform
  account_id uuid,
  type text not null,
  data json not null,
  at timestamptz not null
);
create index operator_event_of_account on operator_event (account_id, id desc);

create table webhook (
  id uuid primary key,
  account_id uuid not null references account,
  url text not null,
  -- types of operator events; * for all of them
  events text[] not null,
  -- current, and previous until previous_until; both sealed
  secrets jsonb not null,
  previous_until timestamptz,
  status text not null default 'active' check (status in ('active', 'disabled')),
  status_reason text,
  -- what is sent to it waits in a lane of its own
  lane_id int not null references lane,
  -- the first failure since the last success
  failing_since timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index webhook_of_account on webhook (account_id, id desc);

-- What came of sending an event to a webhook; it has the id of the waiting row.
create table webhook_delivery (
  id uuid primary key,
  webhook_id uuid not null references webhook on delete cascade,
  event_id uuid not null,
  state text not null check (state in ('delivered', 'waiting', 'failed')),
  attempts smallint not null,
  -- of the last attempt
  status smallint,
  error text,
  excerpt text,
  at timestamptz not null,
  next_at timestamptz
);
create index delivery_of_webhook on webhook_delivery (webhook_id, id desc);

-- A new UUIDv7 of a moment, for rows that a statement makes by itself.
create function new_id(moment timestamptz) returns uuid language sql volatile as $$
  select (left(uuid_floor(moment)::text, 15) || substr(gen_random_uuid()::text, 16))::uuid
$$;

-- A moment as JSON texts have it everywhere: ISO 8601 with milliseconds, UTC.
create function iso_time(moment timestamptz) returns text language sql stable as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
