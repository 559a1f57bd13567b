-- Mailings of three types, launches that are withdrawn, and counts that cost the same however many messages there are.

alter table mailing add column type text not null default 'regular' check (type in ('regular', 'trigger', 'placement'));

-- How many messages the launch will have; null where its first page was its last, or nobody has counted yet.
alter table launch add column expected int;
-- What was placed is being withdrawn; the last message that was looked at, null before the first page.
alter table launch add column withdrawing boolean not null default false;
alter table launch add column withdrawn_to uuid;

-- The state before the last change, so that the statement that changes a state can say exactly what it changed.
alter table message add column prior smallint;

-- Messages of launches by state: a sum that is kept, and the changes of the last seconds that are still to be added.
create table launch_count (
  launch_id uuid not null,
  state smallint not null,
  count int not null,
  primary key (launch_id, state)
);
create table launch_change (
  launch_id uuid not null,
  state smallint not null,
  change int not null,
  at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create index launch_change_of_launch on launch_change (launch_id);
create index launch_change_in_order on launch_change (at);
insert into launch_count (launch_id, state, count)
select launch_id, state, count(*) from message where launch_id is not null group by launch_id, state;

-- Triggers that were given a dedupe key: the message that each made.
create table trigger_key (
  launch_id uuid not null,
  -- a profile; in an indirect channel the resource
  target_id uuid not null,
  key text not null,
  message_id uuid not null,
  primary key (launch_id, target_id, key)
);
-- For retention only: brin, because rows come in the order of their messages.
create index trigger_key_by_message on trigger_key using brin (message_id);
