-- Users: people of an account. Tokens belong to a user and carry at most that user's role.

create table app_user (
  id uuid primary key,
  account_id uuid not null references account,
  email text not null,
  name text not null,
  role text not null check (role in ('viewer', 'editor', 'admin')),
  -- Null where the user cannot sign in with a password.
  password_hash text,
  status text not null default 'active' check (status in ('active', 'disabled')),
  -- Wrong passwords in a row, and until when no password is looked at.
  failed_sign_ins int not null default 0,
  locked_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- So that a token cannot name a user of another account.
  unique (account_id, id)
);
create unique index app_user_by_email on app_user (account_id, lower(email));
create index app_user_of_email on app_user (lower(email));

-- One user for each account that is there already: who used its tokens until now. The id is a UUIDv7 of this moment.
insert into app_user (id, account_id, email, name, role, created_at, updated_at)
select (substr(replace(uuid_floor(now())::text, '-', ''), 1, 12) || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
       id, 'admin@localhost', 'bootstrap', 'admin', now(), now()
from account;

alter table token add column user_id uuid;
-- A session is a token that a user got by signing in; its expiry slides.
alter table token add column kind text not null default 'api' check (kind in ('api', 'session'));
update token set user_id = (select app_user.id from app_user where app_user.account_id = token.account_id);
alter table token alter column user_id set not null;
alter table token add foreign key (account_id, user_id) references app_user (account_id, id);
create index token_of_user on token (user_id);

alter table audit add column user_id uuid;
update audit set user_id = (select token.user_id from token where token.id = audit.token_id);
