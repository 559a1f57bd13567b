-- compatible
-- Requests of providers whose run failed, to be looked at and run again; and what was refused, counted.
create table listener_request (
  -- the waiting row whose run failed first
  id uuid primary key,
  account_id uuid,
  channel_id int not null,
  channel_version_id int not null,
  lane_id int not null,
  pipeline smallint not null,
  pipe int,
  state text not null check (state in ('failed', 'running', 'done')),
  -- of the last run: a code, and a sentence without secrets
  reason text not null,
  message text not null,
  -- how often it was run
  runs int not null,
  -- the request as the pipeline needs it; sealed if it holds a secret
  payload text not null,
  -- what its runs have registered, so that another run does not register it twice
  registered json not null,
  received_at timestamptz not null,
  failed_at timestamptz not null,
  -- an operator event says that it failed
  announced boolean not null
);
create index listener_request_of_account on listener_request (account_id, id);
create index listener_request_failed on listener_request (failed_at);
create index listener_request_new on listener_request (channel_id) where not announced;

create table refused_request (
  channel_id int not null,
  reason text not null,
  count bigint not null,
  last_at timestamptz not null,
  -- the last few, without their bodies
  samples json not null,
  primary key (channel_id, reason)
);
