-- compatible
-- Lookups whose plans do not depend on statistics. The planner takes a table for empty that was counted while it was:
-- after a queue has run dry, or when an import is counted before it is committed. Then every way costs the same, and it
-- reads whole tables once for each row of a batch: with 60,000 people a call of 1,000 messages took ten seconds.
--
-- `offset 0` keeps each lookup a question of its own, asked once for each row and after it, in which only an index that
-- answers it can be used. Where several indexes could, the question names all columns of each of them, or is put so
-- that the others cannot answer it: none answers "is not distinct from".

create or replace function find_subscriptions(
  p_accounts uuid[], p_external_ids text[], p_resources uuid[], p_channels int[]
) returns table (place int, profile_id uuid, subscription_id uuid, fields jsonb) language sql stable
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select (g.place - 1)::int, p.id, s.id, s.fields
  from unnest(p_accounts, p_external_ids, p_resources, p_channels) with ordinality
    as g (account, external_id, resource, channel, place)
  cross join lateral (
    select profile.id from profile
    where profile.account_id = g.account and profile.external_id = g.external_id offset 0) as p
  left join lateral (
    -- Among those of the profile, which are few.
    select subscription.id, subscription.fields from subscription
    where subscription.profile_id = p.id and subscription.resource_id is not distinct from g.resource
      and subscription.channel_id is not distinct from g.channel offset 0) as s on true
$$;

-- The same as attempt_by of a whole message, which stays for programs of schema 12, put so that the planner can take
-- it apart: only of a message that has gone on to another sender anything is asked.
create function earlier_attempt_by(message uuid, sender uuid, named int) returns int language sql stable as $$
  select a.number::int from attempt a
  where a.message_id = message and a.id >= message and a.sender_id = sender and a.number = coalesce(named, a.number)
  order by a.number desc limit 1
$$;
create function attempt_by(message uuid, its_sender uuid, its_attempt int, sender uuid, named int) returns int
language sql stable as $$
  select case when its_sender = sender then its_attempt
    when its_attempt > 1 then earlier_attempt_by(message, sender, named) end
$$;

create or replace function find_messages(
  p_channels int[], p_external_ids text[], p_messages uuid[], p_accounts uuid[], p_senders uuid[]
) returns table (
  place int, message_id uuid, account_id uuid, launch_id uuid, attempt int, lane_id int, channel_version_id int
) language sql stable
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashjoin = off
  set enable_mergejoin = off
as $$
  select distinct on (a.place) (a.place - 1)::int, m.id, m.account_id, m.launch_id,
    coalesce(n.attempt, attempt_by(m.id, m.sender_id, m.attempt, a.sender, n.attempt), m.attempt)::int, m.lane_id,
    m.channel_version_id
  from unnest(p_channels, p_external_ids, p_messages, p_accounts, p_senders) with ordinality
    as a (channel, external_id, message, account, sender, place)
  cross join lateral (
    select a.message as id, (
      select e.attempt from external_id e
      where e.channel_id = a.channel and e.external_id = a.external_id and e.message_id = a.message)::int as attempt
    where a.message is not null
    union all
    select e.message_id, e.attempt::int from external_id e
    where e.channel_id = a.channel and e.external_id = a.external_id and a.message is null) as n
  cross join lateral (
    -- The next one from this id on: only the primary key knows which that is, the index of an account does not.
    select found.id, found.account_id, found.launch_id, found.sender_id, found.attempt::int, found.lane_id,
      found.channel_id, found.channel_version_id
    from message found where found.id >= n.id order by found.id limit 1) as m
  where m.id = n.id and m.channel_id = a.channel and (a.account is null or m.account_id = a.account)
    and (a.sender is null or attempt_by(m.id, m.sender_id, m.attempt, a.sender, n.attempt) is not null)
  order by a.place, m.id desc
$$;

create or replace function claim_waiting(
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
    where waiting.ctid = any (array(
      select due.place
      from unnest(p_lanes, p_due, p_ids, p_shares) as lane (id, due, after, share)
      cross join lateral (
        select w.ctid as place from waiting w
        where w.lane_id = lane.id
          and (w.due_at, uuid_send(w.id)) > (to_timestamp(lane.due / 1000), uuid_send(lane.after))
          and w.due_at <= p_now and w.owner is null
        order by w.due_at, uuid_send(w.id)
        limit lane.share
        for update skip locked) as due))
    returning waiting.*)
  select c.id, c.account_id, c.lane_id, (extract(epoch from c.due_at) * 1000)::float8, c.pipeline, c.pipe, c.tries,
    c.message_id, c.channel_version_id, c.payload, m.launch_id, m.resource_id, m.sender_id, m.state, m.attempt,
    m.class, m.content, (extract(epoch from m.expires_at) * 1000)::float8, p.external_id, p.fields, s.fields, s.status
  from claimed c
  left join lateral (
    select * from message where message.id = c.message_id and message.account_id = c.account_id offset 0) as m on true
  left join lateral (select * from profile where profile.id = m.profile_id offset 0) as p on true
  left join lateral (
    select * from subscription where subscription.id = m.subscription_id and subscription.profile_id = m.profile_id
      and subscription.resource_id = m.resource_id and subscription.channel_id = m.channel_id offset 0) as s on true;
end $$;
