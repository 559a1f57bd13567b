-- Lookups that run for every batch of the corridor, as functions whose plan is nailed down: a plan made while the
-- tables were small and kept while they grow would read them whole, once for every row that is asked for.

-- Profiles by external id, each with its subscription to a resource in a channel, if any.
create function find_subscriptions(
  p_accounts uuid[], p_external_ids text[], p_resources uuid[], p_channels int[]
) returns table (place int, profile_id uuid, subscription_id uuid, fields jsonb) language sql stable
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select (g.place - 1)::int, p.id, s.id, s.fields
  from unnest(p_accounts, p_external_ids, p_resources, p_channels) with ordinality
    as g (account, external_id, resource, channel, place)
  join profile p on p.account_id = g.account and p.external_id = g.external_id
  left join subscription s on s.profile_id = p.id and s.resource_id = g.resource and s.channel_id = g.channel
$$;

-- The attempt that a sender made of a message: the message's own one where it goes by that sender now, an earlier one
-- where it has gone on to another; null where the sender never had it. `named` is that of the provider's own id, which
-- is unique only within one sender.
create function attempt_by(m message, sender uuid, named int) returns int language sql stable as $$
  select case when m.sender_id = sender then m.attempt when m.attempt > 1 then (
    select a.number from attempt a
    where a.message_id = m.id and a.id >= m.id and a.sender_id = sender and a.number = coalesce(named, a.number)
    order by a.number desc limit 1) end::int
$$;

-- Messages that events name by their id or by the provider's own id; one for each question, the newest.
create function find_messages(
  p_channels int[], p_external_ids text[], p_messages uuid[], p_accounts uuid[], p_senders uuid[]
) returns table (
  place int, message_id uuid, account_id uuid, launch_id uuid, attempt int, lane_id int, channel_version_id int
) language sql stable
  set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  with asked as (
    select * from unnest(p_channels, p_external_ids, p_messages, p_accounts, p_senders) with ordinality
      as a (channel, external_id, message, account, sender, place)),
  named as (
    select a.place, a.channel, a.account, a.sender, a.message as id, e.attempt::int as attempt
    from asked a left join external_id e
      on e.channel_id = a.channel and e.external_id = a.external_id and e.message_id = a.message
    where a.message is not null
    union all
    select a.place, a.channel, a.account, a.sender, e.message_id, e.attempt::int
    from asked a join external_id e on e.channel_id = a.channel and e.external_id = a.external_id
    where a.message is null)
  select distinct on (n.place) (n.place - 1)::int, m.id, m.account_id, m.launch_id,
    coalesce(n.attempt, attempt_by(m, n.sender, n.attempt), m.attempt)::int, m.lane_id, m.channel_version_id
  from named n join message m on m.id = n.id
  where m.channel_id = n.channel and (n.account is null or m.account_id = n.account)
    and (n.sender is null or attempt_by(m, n.sender, n.attempt) is not null)
  order by n.place, m.id desc
$$;

-- The claim of 0001, with a plan that cannot flip: a plan that was made on nearly empty tables took whichever index
-- knows the id, because all cost the same there. Now only the primary key of waiting knows it, the claimed rows are
-- reached by their place, and messages and subscriptions by all columns of whichever index is taken.
drop index waiting_in_order;
create index waiting_in_order on waiting (lane_id, due_at, uuid_send(id));

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
  left join message m on m.id = c.message_id and m.account_id = c.account_id
  left join profile p on p.id = m.profile_id
  left join subscription s on s.id = m.subscription_id and s.profile_id = m.profile_id
    and s.resource_id = m.resource_id and s.channel_id = m.channel_id;
end $$;
