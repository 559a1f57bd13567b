-- Who is not sent to, and when: suppressions, sending rules, and the contacts that frequency caps count.

create table suppression (
  id uuid primary key,
  account_id uuid not null references account,
  -- what an address is compared by: its normal form, or a keyed hash where it is secret or long
  key text not null,
  -- for people; null where it is secret
  address text,
  -- null: every channel
  channel_id int,
  -- null: whatever is sent (scope "global"); otherwise what this resource sends (scope "list")
  resource_id uuid references resource on delete cascade,
  reason text not null,
  source text not null check (source in ('event', 'api', 'import')),
  -- the message whose event it came from
  message_id uuid,
  created_at timestamptz not null,
  expires_at timestamptz,
  unique nulls not distinct (account_id, key, channel_id, resource_id)
);
create index suppression_of_account on suppression (account_id, id desc);
create index suppression_by_expiry on suppression (expires_at) where expires_at is not null;

create table sending_rules (
  account_id uuid primary key references account,
  -- { "quietHours": [...], "caps": [...] } as they were checked
  rules json not null,
  updated_at timestamptz not null
);

-- What frequency caps count as caps see it: free text; null stands for the class.
alter table mailing add column category text;
alter table launch add column category text;

-- One message that has its place under the caps that apply to it.
create table contact (
  message_id uuid primary key,
  account_id uuid not null,
  profile_id uuid not null,
  channel_id int not null,
  category text not null,
  at timestamptz not null
);
create index contact_of_profile on contact (profile_id, at desc);
create index contact_by_time on contact (at);

-- Gives messages their places under the caps that apply to them, all at one time, and answers for each cap that has no
-- room when it will have. Messages of one person are looked at one after the other, in rounds; those of different
-- people together. A function, because only then does each step see what others have committed while it waited for
-- its locks. The locks are few and taken in order, so that no two calls can wait for each other.
-- Caps are named by the message they are for (its place in p_messages) and by p_rules, the order of the rules.
create function reserve_contacts(
  p_now timestamptz, p_messages uuid[], p_categories text[],
  p_cap_messages int[], p_rules int[], p_channels int[], p_cap_categories text[], p_most int[], p_seconds float8[]
) returns table (place int, rule int, free_at float8) language plpgsql
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_round int := 0;
  v_rounds int;
  v_profiles uuid[];
  v_channels int[];
  v_accounts uuid[];
  v_turns int[];
begin
  select array_agg(m.profile_id order by g.place), array_agg(m.channel_id order by g.place),
    array_agg(m.account_id order by g.place), array_agg(g.turn order by g.place), coalesce(max(g.turn), 0)
  into v_profiles, v_channels, v_accounts, v_turns, v_rounds
  from (
    select a.place, a.id, row_number() over (partition by m.profile_id order by a.place) as turn
    from unnest(p_messages) with ordinality as a (id, place) left join message m on m.id = a.id) as g
  left join message m on m.id = g.id;
  perform pg_advisory_xact_lock(7584202, bucket) from (
    select distinct hashtext(profile::text) & 255 as bucket from unnest(v_profiles) as p (profile)
    where profile is not null order by 1) as buckets;
  while v_round < v_rounds loop
    v_round := v_round + 1;
    return query
    with turn as (
      select t.place::int as place, t.id, t.category, t.profile, t.channel, t.account
      from unnest(p_messages, p_categories, v_profiles, v_channels, v_accounts, v_turns)
        with ordinality as t (id, category, profile, channel, account, turn, place)
      where t.turn = v_round and t.profile is not null),
    full_caps as (
      select turn.place, c.rule, nth.at + make_interval(secs => c.seconds) as free_at
      from turn
      join unnest(p_cap_messages, p_rules, p_channels, p_cap_categories, p_most, p_seconds)
        as c (place, rule, channel, category, most, seconds) on c.place = turn.place
      cross join lateral (
        select k.at from contact k
        where k.profile_id = turn.profile and k.at > p_now - make_interval(secs => c.seconds)
          and k.message_id <> turn.id
          and (c.channel is null or k.channel_id = c.channel) and (c.category is null or k.category = c.category)
        order by k.at desc offset c.most - 1 limit 1) as nth),
    reserved as (
      insert into contact (message_id, account_id, profile_id, channel_id, category, at)
      select turn.id, turn.account, turn.profile, turn.channel, turn.category, p_now from turn
      where not exists (select from full_caps f where f.place = turn.place)
      on conflict (message_id) do update set at = excluded.at, category = excluded.category)
    select f.place, f.rule, (extract(epoch from f.free_at) * 1000)::float8 from full_caps f;
  end loop;
end $$;
