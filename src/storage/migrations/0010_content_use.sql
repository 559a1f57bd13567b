-- Which content item a mailing sends, and which version of it a launch fixed. What the API accepts one by one has both
-- in the content of its message.

alter table mailing add column content_item_id uuid references content_item;
alter table launch add column content_item_id uuid;
alter table launch add column content_version int;
