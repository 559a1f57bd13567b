-- compatible
-- A claim whose answer is small: what most rows of a claim have in common travels as one text, which a worker reads once
-- for all rows that have the same. Beside programs that do not know it, `claim_waiting` stays.
--
-- In `common` stand, between bars: lane, pipeline, pipe, tries, channel version, account, launch, resource, sender, state,
-- attempt, class, status of the subscription, and how the message is named: `=` by the id of the row, `*` by `message_id`,
-- and nothing where there is none. What is null is empty.

create function claim_due(
  p_node int, p_now timestamptz, p_lanes int[], p_due float8[], p_ids uuid[], p_shares int[]
) returns table (
  id uuid, due float8, common text, message_id uuid, payload text, content json, expires float8,
  profile_external_id text, profile jsonb, subscription jsonb
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
  select c.id, date_part('epoch', c.due_at) * 1000,
    concat(c.lane_id, '|', c.pipeline, '|', c.pipe, '|', c.tries, '|', c.channel_version_id, '|', c.account_id, '|',
      m.launch_id, '|', m.resource_id, '|', m.sender_id, '|', m.state, '|', m.attempt, '|', m.class, '|', s.status, '|',
      case when c.message_id = c.id then '=' when c.message_id is not null then '*' end),
    nullif(c.message_id, c.id), c.payload, m.content, date_part('epoch', m.expires_at) * 1000, p.external_id, p.fields,
    s.fields
  from claimed c
  left join lateral (
    select * from message where message.id = c.message_id and message.account_id = c.account_id offset 0) as m on true
  left join lateral (select * from profile where profile.id = m.profile_id offset 0) as p on true
  left join lateral (
    select * from subscription where subscription.id = m.subscription_id and subscription.profile_id = m.profile_id
      and subscription.resource_id = m.resource_id and subscription.channel_id = m.channel_id offset 0) as s on true;
end $$;
