-- compatible
-- Room on each page for a second version of every row on it. A claim changes its waiting rows, and a settlement its
-- messages, a whole page at a time; where the new versions do not fit, each goes to another page and enters every index
-- anew. The space is the same either way: what does not fit here is written there.
alter table waiting set (fillfactor = 45);

do $$
declare
  part regclass;
begin
  for part in select inhrelid::regclass from pg_inherits where inhparent = 'message'::regclass loop
    execute format('alter table %s set (fillfactor = 45)', part);
  end loop;
end $$;

create or replace function make_partitions(month date) returns void language plpgsql as $$
declare
  parent text;
  low uuid := uuid_floor(month::timestamp at time zone 'UTC');
  high uuid := uuid_floor((month + interval '1 month') at time zone 'UTC');
begin
  foreach parent in array array['message', 'event', 'attempt'] loop
    execute format(
      'create table if not exists %I partition of %I for values from (%L) to (%L) with (fillfactor = %s)',
      parent || '_' || to_char(month, 'YYYYMM'), parent, low, high,
      case parent when 'message' then 45 else 100 end);
  end loop;
end $$;
