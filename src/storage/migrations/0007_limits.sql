-- Limits of providers, exact at the provider: a token is out from the moment it is taken until one window after the
-- answer to the request that used it, for a request arrives no earlier than it was sent and no later than it was answered.
drop table rate_slot;

-- One row per limit. Free are the requests in force, less what processes hold, less what cools. Times are milliseconds of
-- this database's clock, so that the clocks of the processes do not matter. Nothing that changes is indexed.
create table rate_limit (
  key text primary key,
  -- in force: the stricter of all that are asked for just now
  requests int not null,
  window_ms float8 not null,
  -- tokens by the slot in which they come free; a slot is 1/200 of the window, slot s stands at s % 256 + 1
  cooling int[] not null,
  -- the newest slot that has come free
  slot float8 not null,
  -- up to here requests have left, at the pace of the limit
  pace_ms float8 not null default 0,
  -- the provider asked for rest until then
  held_ms float8 not null default 0,
  seen_ms float8 not null
) with (fillfactor = 40);

-- What each process holds of a limit, and which limit it was told: during a change of a channel there are two.
create table rate_holder (
  key text not null,
  holder text not null,
  requests int not null,
  window_ms float8 not null,
  taken int not null,
  -- after this the process is dead: its tokens cool
  lease_ms float8 not null,
  primary key (key, holder)
) with (fillfactor = 40);

-- One turn of one process at some limits: it says what it holds and how many requests were answered since its last turn,
-- and takes what it wants. p_now_ms is null but in tests. What is given: tokens taken, milliseconds until there may be
-- more, and how many more there will be within p_horizon_ms.
create function turn_rate_limits(
  p_now_ms float8, p_holder text, p_lease_ms float8, p_horizon_ms float8, p_keys text[], p_requests int[],
  p_windows float8[], p_bursts int[], p_held int[], p_used int[], p_wanted int[]
) returns table (place int, granted int, wait_ms float8, soon int) language plpgsql as $$
declare
  ask record;
  other record;
  l rate_limit%rowtype;
  me text;
  now_ms float8;
  slot_ms float8;
  here float8;
  due_slot float8;
  at int;
  lost int;
  others int;
  mine int;
  different int;
  gone int;
  n int;
  w float8;
  shorter int;
  back int;
  free int;
  interval_ms float8;
  burst int;
  ahead_ms float8;
begin
  -- In one order, so that two processes never wait for each other.
  for ask in
    select a.* from unnest(p_keys, p_requests, p_windows, p_bursts, p_held, p_used, p_wanted)
      with ordinality as a (key, requests, window_ms, burst, held, used, wanted, place)
    order by a.key collate "C", a.place
  loop
    select * into l from rate_limit r where r.key = ask.key for update;
    if not found then
      insert into rate_limit (key, requests, window_ms, cooling, slot, seen_ms)
        values (ask.key, ask.requests, ask.window_ms, array_fill(0, array[256]), 0, 0)
        on conflict do nothing;
      select * into l from rate_limit r where r.key = ask.key for update;
    end if;
    -- Read behind the lock: turns are in the order of their times.
    now_ms := coalesce(p_now_ms, extract(epoch from clock_timestamp()) * 1000);
    me := concat_ws('/', p_holder, ask.requests, ask.window_ms, ask.burst);

    select coalesce(sum(h.taken) filter (where h.holder <> me and h.lease_ms < now_ms), 0),
        coalesce(sum(h.taken) filter (where h.holder <> me and h.lease_ms >= now_ms), 0),
        coalesce(sum(h.taken) filter (where h.holder = me), 0),
        count(*) filter (where h.requests <> ask.requests or h.window_ms <> ask.window_ms),
        count(*) filter (where h.holder <> me and h.lease_ms + h.window_ms < now_ms)
      into lost, others, mine, different, gone
      from rate_holder h where h.key = ask.key;
    if lost > 0 then
      update rate_holder h set taken = 0 where h.key = ask.key and h.lease_ms < now_ms and h.holder <> me;
    end if;
    if gone > 0 then
      delete from rate_holder h where h.key = ask.key and h.lease_ms + h.window_ms < now_ms and h.holder <> me;
    end if;

    -- The stricter of all that are asked for: so many in the shorter window that the longer one keeps to both, or the
    -- fewer in the longer window, whichever lets more through.
    n := ask.requests;
    w := ask.window_ms;
    if different > 0 then
      n := null;
      for other in
        select ask.window_ms as window_ms, ask.requests as requests
        union select h.window_ms, h.requests from rate_holder h where h.key = ask.key
        order by 1, 2
      loop
        if n is null then
          n := other.requests;
          w := other.window_ms;
        elsif other.window_ms = w then
          n := least(n, other.requests);
        else
          shorter := least(n, floor(other.requests / ceil(other.window_ms / w)))::int;
          if shorter >= 1 and shorter / w >= least(n, other.requests) / other.window_ms then
            n := shorter;
          else
            n := least(n, other.requests);
            w := other.window_ms;
          end if;
        end if;
      end loop;
    end if;

    slot_ms := w / 200;
    here := floor(now_ms / slot_ms);
    -- A thousandth more, because no two clocks go alike.
    due_slot := floor((now_ms + w * 1.001) / slot_ms) + 1;
    at := (due_slot::bigint % 256 + 1)::int;
    l.requests := n;
    back := ask.used + lost;
    if w <> l.window_ms then
      -- What left under another window is not known by its times: everything rests for one window.
      l.cooling := array_fill(0, array[256]);
      l.cooling[at] := greatest(0, n - others - ask.held - back);
      l.window_ms := w;
      l.slot := here;
    elsif here < l.slot - 2 then
      -- The clock was set back.
      free := (select sum(c) from unnest(l.cooling) as c);
      l.cooling := array_fill(0, array[256]);
      l.cooling[at] := free;
      l.slot := here;
    elsif here - l.slot >= 256 then
      l.cooling := array_fill(0, array[256]);
      l.slot := here;
    else
      while l.slot < here loop
        l.slot := l.slot + 1;
        l.cooling[(l.slot::bigint % 256 + 1)::int] := 0;
      end loop;
    end if;
    if back > 0 then l.cooling[at] := l.cooling[at] + back; end if;

    free := n - others - ask.held - (select sum(c) from unnest(l.cooling) as c)::int;
    -- A quarter faster than the limit, so that a late start is made up for, and few at one instant.
    interval_ms := w / (n * 1.25);
    burst := least(n, coalesce(ask.burst, ceil(n / 10.0)::int));
    -- What was taken and not used did not leave.
    ahead_ms := l.pace_ms - now_ms - greatest(0, mine - ask.held - ask.used) * interval_ms;
    ahead_ms := greatest(0, least(ahead_ms, burst * interval_ms));
    place := ask.place;
    granted := 0;
    wait_ms := 0;
    soon := 0;
    if l.held_ms <= now_ms then
      granted := greatest(0, least(ask.wanted, free, floor(burst - ahead_ms / interval_ms + 0.000001)::int));
    end if;
    ahead_ms := ahead_ms + granted * interval_ms;
    l.pace_ms := now_ms + ahead_ms;
    if granted < ask.wanted then
      free := free - granted;
      if free <= 0 then wait_ms := w; end if;
      soon := greatest(0, free);
      for s in 1 .. 202 loop
        at := ((l.slot + s)::bigint % 256 + 1)::int;
        if l.cooling[at] > 0 then
          if free <= 0 and free + l.cooling[at] > 0 then wait_ms := (l.slot + s) * slot_ms - now_ms; end if;
          free := free + l.cooling[at];
          if (l.slot + s) * slot_ms <= now_ms + p_horizon_ms then soon := greatest(0, free); end if;
        end if;
      end loop;
      wait_ms := greatest(wait_ms, ahead_ms - (burst - 1) * interval_ms, l.held_ms - now_ms, 0);
      soon := greatest(0, least(soon, floor(burst + (p_horizon_ms - ahead_ms) / interval_ms)::int));
    end if;

    update rate_limit r set requests = l.requests, window_ms = l.window_ms, cooling = l.cooling, slot = l.slot,
        pace_ms = l.pace_ms, seen_ms = now_ms
      where r.key = ask.key;
    insert into rate_holder as h (key, holder, requests, window_ms, taken, lease_ms)
      values (ask.key, me, ask.requests, ask.window_ms, ask.held + granted, now_ms + p_lease_ms)
      on conflict (key, holder) do update set taken = excluded.taken, lease_ms = excluded.lease_ms;
    return next;
  end loop;
end $$;

-- The provider of this lane asked for rest until then; nothing of it is claimed before.
alter table lane add column held_until timestamptz;
