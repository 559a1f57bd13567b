-- Which sender a message goes by, per account and channel: of these rules the first that fits decides.
create table sender_rules (
  account_id uuid not null references account,
  channel_id int not null,
  -- as the admin wrote them
  rules json not null,
  -- the routes of the rules, in their order
  routes int[] not null,
  updated_at timestamptz not null,
  primary key (account_id, channel_id)
);

-- What a message keeps of the rule that chose its sender: it never changes, so that what is in flight finishes by the
-- rule it was accepted with.
create table sender_route (
  id int generated always as identity primary key,
  account_id uuid not null references account,
  channel_id int not null,
  name text not null,
  -- the senders that follow, in their order, and the failures after which they do
  fallback uuid[] not null,
  fallback_on text[] not null,
  unique (account_id, channel_id, name, fallback, fallback_on)
);

-- Null: the sender was named by the caller, or the message was in doubt once and stays with its sender.
alter table message add column route_id int;
alter table attempt add column sender_id uuid;

-- Where among the weights a message falls: the same each time, evenly spread.
create function sender_bucket(message uuid, total int) returns int language sql immutable as $$
  select (('x' || substr(md5(message::text), 1, 8))::bit(32)::bigint % total)::int
$$;
